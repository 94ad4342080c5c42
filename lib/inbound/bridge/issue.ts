import { randomText } from "../../base/bytes.ts";
import { isKept, keepText, type KeptText, readKeptText } from "./kept_text.ts";
import type { BridgeParts } from "./parts.ts";
import { type AccessBody, type Grant, type IssuedTokens, type RefreshBody, sealTicket } from "./tickets.ts";

/** The longest token that is issued, in characters; what does not fit is kept in the store. */
export const maxTokenLength = 4_096;

/** New tokens, and the id of the refresh token among them. */
export interface Issue {
  readonly tokens: IssuedTokens;
  readonly refreshId?: string;
  readonly refreshTtlMs: number;
}

/**
 * Makes an access and a refresh token. With an outbound mode that hands on the IdP's token, ours end no later, and
 * there is no refresh token unless the IdP gave one. @throws StoreUnavailable when a token is too long to be carried
 */
export async function issueTokens(
  parts: BridgeParts,
  grant: Grant,
  body: RefreshBody,
  scopes: readonly string[] = grant.scopes,
): Promise<Issue> {
  const { config, clock } = parts;
  const { identity, idp } = body;
  const nowMs = clock.now();
  const follows = config.tokenFollowsIdp;
  const grantLeftMs = grant.originMs + config.grantTtlMs - nowMs;
  const left = (untilMs: number | undefined) => follows && untilMs !== undefined ? untilMs - nowMs : Infinity;

  // Whole seconds, since that is what `expires_in` says; never less than one.
  const accessTtlMs = wholeSeconds(Math.min(config.accessTtlMs, grantLeftMs, left(idp?.expiresAtMs)));
  const refreshTtlMs = Math.min(config.refreshTtlMs, grantLeftMs, left(idp?.refreshExpiresAtMs));
  const idpToken = follows ? idp?.accessToken : undefined;
  const accessBody: AccessBody = { identity, ...(idpToken === undefined ? {} : { idpToken }) };
  const { subject } = identity;
  const accessToken = await sealFitting(parts, accessBody, accessTtlMs, (carried) =>
    sealTicket(
      parts.sealer,
      "access",
      { jti: randomText(12), grant: { ...grant, scopes }, subject, body: carried },
      accessTtlMs,
    ));
  const tokens = { accessToken, accessExpiresAtMs: nowMs + accessTtlMs, scopes };
  if (refreshTtlMs <= 0 || (follows && idp?.refreshToken === undefined)) return { tokens, refreshTtlMs: 0 };

  const refreshId = randomText(12);
  // The access token of the IdP is asked for anew at each refresh, so it is not carried along.
  const { accessToken: _replaced, ...held } = idp ?? { checkedAtMs: nowMs };
  const refreshBody: RefreshBody = { identity, idp: idp === null ? null : held };
  const refreshToken = await sealFitting(
    parts,
    refreshBody,
    refreshTtlMs,
    (carried) =>
      sealTicket(parts.sealer, "refresh", { jti: refreshId, grant, subject, body: carried }, refreshTtlMs),
  );
  return { tokens: { ...tokens, refreshToken }, refreshId, refreshTtlMs };
}

/** Seals with the body inside, or with a reference to it where the text would be too long. */
async function sealFitting<B extends object>(
  parts: BridgeParts,
  body: B,
  ttlMs: number,
  seal: (carried: B | KeptText) => Promise<string>,
): Promise<string> {
  const text = JSON.stringify(body);
  // Sealing adds a third; what cannot fit is not tried.
  if (text.length < maxTokenLength * 3 / 4) {
    const sealed = await seal(body);
    if (sealed.length <= maxTokenLength) return sealed;
  }
  return await seal(await keepText(parts, text, ttlMs));
}

/** The body of a token, wherever it is; `undefined` when the store has lost it. @throws StoreUnavailable */
export async function tokenBody<B extends object>(
  parts: BridgeParts,
  body: B | KeptText,
): Promise<B | undefined> {
  if (!isKept(body)) return body;
  const text = await readKeptText(parts, body);
  return text === undefined ? undefined : JSON.parse(text) as B;
}

function wholeSeconds(ms: number): number {
  return Math.max(1, Math.floor(ms / 1000)) * 1000;
}

/** The answer of the token endpoint (RFC 6749 section 5.1). */
export function tokenAnswer(parts: BridgeParts, tokens: IssuedTokens): Response {
  const leftMs = tokens.accessExpiresAtMs - parts.clock.now();
  return Response.json({
    access_token: tokens.accessToken,
    token_type: "Bearer",
    expires_in: Math.max(1, Math.floor(leftMs / 1000)),
    ...(tokens.refreshToken === undefined ? {} : { refresh_token: tokens.refreshToken }),
    ...(tokens.scopes.length === 0 ? {} : { scope: tokens.scopes.join(" ") }),
  }, { headers: { "cache-control": "no-store, no-transform", pragma: "no-cache" } });
}
