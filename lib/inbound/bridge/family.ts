/**
 * The refresh tokens of one login. One record per login says which of them is current; it is changed by
 * compare-and-swap only, so that rotation, grace and revocation are each one step for all processes.
 *
 *     no record ──rotate J──> {current: K, retired: [J], successor: sealed K}   (first use, or the store was wiped)
 *     current K presented  -> rotate
 *     retired, within grace -> the same successor again, no error
 *     anything else         -> somebody has a copy: revoked, for good
 */
import { failure } from "./failures.ts";
import type { BridgeParts } from "./parts.ts";
import { type Family, familyKey } from "./revocations.ts";
import { type IssuedTokens, openTicket, sealTicket } from "./tickets.ts";

/** How many tokens may be in their grace window at once. */
const maxRetired = 16;

/** What a presented refresh token is to its family. */
export type Standing = "current" | "in_grace" | "reused" | "revoked";

/** Judges a refresh token. */
export function standingOf(
  family: Family | undefined,
  jti: string,
  options: { nowMs: number; graceMs: number },
): Standing {
  if (family === undefined) return "current";
  if (family.revoked !== undefined) return "revoked";
  if (family.current === jti) return "current";
  const retired = family.retired.find((token) => token.jti === jti);
  return retired !== undefined && options.nowMs - retired.atMs < options.graceMs ? "in_grace" : "reused";
}

/** What the family's current token was issued with. @throws OAuthError when the keys have changed meanwhile */
export async function successorOf(parts: BridgeParts, family: Family): Promise<IssuedTokens> {
  const opened = await openTicket(parts.sealer, "successor", family.successor ?? "");
  if (!opened.ok) throw failure("refresh_invalid");
  return opened.value;
}

/** Makes `next` the current token instead of `jti`; false when somebody else has changed the family meanwhile. */
export async function rotateFamily(
  parts: BridgeParts,
  grantId: string,
  change: {
    readonly family: Family | undefined;
    readonly version: string | undefined;
    readonly jti: string;
    readonly next: { readonly id: string; readonly tokens: IssuedTokens; readonly ttlMs: number };
  },
): Promise<boolean> {
  const { store, sealer, clock, config } = parts;
  const nowMs = clock.now();
  const inGrace = (change.family?.retired ?? []).filter((token) =>
    nowMs - token.atMs < config.refreshGraceMs
  );
  const family: Family = {
    current: change.next.id,
    retired: [...inGrace, { jti: change.jti, atMs: nowMs }].slice(-maxRetired),
    successor: await sealTicket(sealer, "successor", change.next.tokens, change.next.ttlMs),
  };
  // As long as any token of the family may live, and a minute more for clocks that differ: a token that nothing is
  // known of counts as the current one.
  const ttlMs = Math.max(change.next.ttlMs, config.refreshTtlMs) + 60_000;
  return await store.putIf(familyKey(grantId), change.version, family, ttlMs);
}
