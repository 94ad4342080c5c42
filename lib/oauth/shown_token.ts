/** A token in a log: what tells it from another, never itself. */
import type { Fields, Logger } from "../base/log.ts";
import { unverifiedClaims } from "./claims.ts";

/** What is known of a token without looking into it; what it says itself comes first. */
export interface KnownOfToken {
  readonly issuer?: string;
  readonly scope?: string;
  readonly expiresAtMs?: number;
}

/** Issuer, audience, scopes and expiry, as far as the token or whoever got it can tell. Nothing of it is verified. */
export function shownToken(token: string, known: KnownOfToken = {}): Fields {
  const claims = unverifiedClaims(token) ?? {};
  const issuer = texts(claims.iss) ?? known.issuer;
  const audience = texts(claims.aud);
  const scopes = texts(claims.scope) ?? texts(claims.scp) ?? known.scope;
  const endMs = typeof claims.exp === "number" ? claims.exp * 1_000 : known.expiresAtMs;
  const end = endMs === undefined ? undefined : new Date(endMs);
  return {
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience === undefined ? {} : { audience }),
    ...(scopes === undefined ? {} : { scopes }),
    ...(end === undefined || Number.isNaN(end.getTime()) ? {} : { expiresAt: end.toISOString() }),
  };
}

/** At level debug, `event` with what may be shown of the token; costs nothing at any other. */
export function logToken(log: Logger, event: string, token: string, known?: KnownOfToken): void {
  if (log.enabled("debug")) log.debug(event, shownToken(token, known));
}

function texts(value: unknown): string | undefined {
  const found = [value].flat().filter((item): item is string => typeof item === "string" && item !== "");
  return found.length === 0 ? undefined : found.join(" ");
}
