/** From the verified claims of an IdP's access token to a caller, and whether that caller may enter. */
import type { TokenClaims } from "../crypto/access_token.ts";
import { identityOf } from "../idp/identity.ts";
import type { Caller } from "../oauth/caller.ts";
import { OAuthError } from "../oauth/errors.ts";
import { parseLooseScope, unionScopes } from "../oauth/scope.ts";
import { isAllowed, missingRequired } from "./allow.ts";
import type { RemoteConfig } from "./config.ts";

/** A token is taken for this much longer than it says, in milliseconds, as clocks differ. */
const clockToleranceMs = 60_000;

/** `bearer` is the token itself, which may be forwarded only when its audience was checked. */
export function remoteCaller(claims: TokenClaims, bearer: string, config: RemoteConfig): Caller {
  const client = text(claims.azp) ?? text(claims.client_id) ?? text(claims.cid) ?? text(claims.appid);
  // A machine's token may name nobody but its client.
  const identity = identityOf({ ...claims, sub: claims.sub ?? client }, config.groupsClaim);
  const { subject, email, emailVerified, name, groups } = identity;
  return {
    subject,
    ...(email === undefined ? {} : { email }),
    ...(emailVerified === undefined ? {} : { emailVerified }),
    ...(name === undefined ? {} : { name }),
    groups,
    clientId: client ?? subject,
    scopes: unionScopes(parseLooseScope(claims.scope) ?? [], parseLooseScope(claims.scp) ?? []),
    expiresAtMs: (claims.exp ?? 0) * 1_000 + clockToleranceMs,
    ...(config.requireAudience ? { forwardable: bearer } : {}),
    claims,
  };
}

/** @throws OAuthError 403, `access_denied` or `insufficient_scope`. */
export function requireEntry(caller: Caller, config: RemoteConfig): void {
  if (caller.emailVerified === false) throw denied("email_not_verified");
  if (!isAllowed(caller, config.allow)) throw denied("not_allowed");
  if (missingRequired(caller.scopes, config.allow).length > 0) {
    throw new OAuthError("insufficient_scope", "The access token lacks a scope that is needed here", {
      status: 403,
    });
  }
}

function denied(reason: string): OAuthError {
  return new OAuthError("access_denied", "This account may not use this server", { status: 403, reason });
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
