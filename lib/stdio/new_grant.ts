/** Turning a token endpoint's answer into what is kept. */
import type { Logger } from "../base/log.ts";
import type { Clock } from "../base/clock.ts";
import { parseScope } from "../oauth/scope.ts";
import type { TokenSet } from "../oauth/token_response.ts";
import type { Grant } from "./grant.ts";
import { loginFailed } from "./login_context.ts";

/** What is known before the answer, or stays as it was before a refresh. */
export type GrantFacts = Omit<Grant, "accessToken" | "obtainedAtMs" | "loggedInAtMs"> & {
  /** Absent: this is the login. */
  readonly loggedInAtMs?: number;
};

/** @throws UserError when the token is none that can be sent in a header, such as one bound to a key. */
export function requireUsable(tokens: TokenSet): void {
  if (tokens.tokenType !== "bearer") {
    throw loginFailed(`the server gave a token of type "${tokens.tokenType}", not a bearer token`);
  }
  if (!/^[\x21-\x7e]+$/.test(tokens.accessToken)) {
    throw loginFailed("the server's token is no text for a header");
  }
}

/**
 * The grant that an answer makes of the facts. What the answer leaves out stays: servers omit the refresh token when
 * it is the old one, and the scope when it is the one asked for (RFC 6749 sections 5.1 and 6).
 * @throws UserError when the token is none that we can send.
 */
export function grantOf(context: { clock: Clock; log: Logger }, tokens: TokenSet, facts: GrantFacts): Grant {
  requireUsable(tokens);
  const { expiresAtMs: _old, ...kept } = facts;
  const refreshToken = tokens.refreshToken ?? facts.refreshToken;
  const nowMs = context.clock.now();
  return {
    ...kept,
    ...whoLoggedIn(tokens.idToken, facts),
    ...(refreshToken === undefined ? {} : { refreshToken }),
    ...(tokens.expiresAtMs === undefined ? {} : { expiresAtMs: tokens.expiresAtMs }),
    ...(tokens.scope === undefined ? {} : { scopesGranted: parseScope(tokens.scope) }),
    accessToken: tokens.accessToken,
    // One instant for both: a grant obtained after its login is taken for a refreshed one.
    loggedInAtMs: facts.loggedInAtMs ?? nowMs,
    obtainedAtMs: nowMs,
  };
}

/**
 * The names in an id_token, for showing only. It came straight from the token endpoint over TLS, where OpenID Connect
 * Core section 3.1.3.7 lets TLS stand for the signature; one for another client or issuer is passed over.
 */
function whoLoggedIn(idToken: string | undefined, facts: GrantFacts): Partial<Grant> {
  const claims = payloadOf(idToken);
  const audiences = [claims?.aud].flat();
  if (claims?.iss !== facts.issuer || !audiences.includes(facts.clientId)) return {};
  const names = {
    subject: claims?.sub,
    email: claims?.email,
    name: claims?.name ?? claims?.preferred_username,
  };
  return Object.fromEntries(Object.entries(names).filter(([, value]) => typeof value === "string"));
}

function payloadOf(jwt: string | undefined): Record<string, unknown> | undefined {
  const part = jwt?.split(".")[1];
  if (part === undefined) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(part, { alphabet: "base64url" })));
  } catch {
    return undefined;
  }
}
