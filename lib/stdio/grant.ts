import { withoutTrailingSlashes } from "../base/slashes.ts";
import type { KnownOfToken } from "../oauth/shown_token.ts";

/** What one login gave us, as it is kept in the cache, and how long it is good for. Times in milliseconds. */
export interface Grant {
  readonly upstream: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly profile: string;
  /** The scopes asked for, over all step-ups. */
  readonly scopesAsked: readonly string[];
  /** The scopes the server said it gave; absent when it said nothing. */
  readonly scopesGranted?: readonly string[];
  /** RFC 8707; sent again at each refresh. */
  readonly resource?: string;
  readonly accessToken: string;
  readonly refreshToken?: string;
  /** When this access token came. */
  readonly obtainedAtMs: number;
  /** When the login was that it comes from; stays over refreshes. */
  readonly loggedInAtMs: number;
  /** Absent: the server did not say, so the token is good until it is refused. */
  readonly expiresAtMs?: number;
  readonly how: GrantOrigin;
  /** Who logged in, as far as an id_token told. */
  readonly subject?: string;
  readonly email?: string;
  readonly name?: string;
}

/** Which way a grant came to be. */
export type GrantOrigin = "browser" | "device" | "client_credentials" | "imported";

/** What a grant is kept under. Empty: not configured, so whatever discovery finds. */
export interface GrantKey {
  readonly upstream: string;
  readonly issuer: string;
  readonly client: string;
  readonly scopes: readonly string[];
  readonly profile: string;
}

/** What a log may say of its access token where that does not say it itself. */
export function knownOfToken(grant: Grant): KnownOfToken {
  return {
    issuer: grant.issuer,
    ...(grant.scopesGranted === undefined ? {} : { scope: grant.scopesGranted.join(" ") }),
    ...(grant.expiresAtMs === undefined ? {} : { expiresAtMs: grant.expiresAtMs }),
  };
}

const leewayCapMs = 60_000;

/** How long before its end a token is renewed: 60 s, or a tenth of a life shorter than ten minutes. */
export function leewayMs(grant: Pick<Grant, "obtainedAtMs" | "expiresAtMs">): number {
  if (grant.expiresAtMs === undefined) return 0;
  return Math.min(leewayCapMs, Math.max(0, grant.expiresAtMs - grant.obtainedAtMs) / 10);
}

/** Whether the access token may be sent without asking for a newer one. */
export function isFresh(grant: Grant, nowMs: number): boolean {
  return grant.expiresAtMs === undefined || nowMs < grant.expiresAtMs - leewayMs(grant);
}

/** Whether the access token has not ended yet, leeway or not. */
export function isAlive(grant: Grant, nowMs: number): boolean {
  return grant.expiresAtMs === undefined || nowMs < grant.expiresAtMs;
}

/** The key as one short text. Scopes count as a set, and an issuer is the same with and without its last slash. */
export async function keyText(key: GrantKey): Promise<string> {
  const parts = [
    key.profile,
    key.upstream,
    withoutTrailingSlashes(key.issuer),
    key.client,
    [...new Set(key.scopes)].sort().join(" "),
  ];
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(parts)));
  return new Uint8Array(hash).toHex();
}
