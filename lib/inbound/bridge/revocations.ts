/**
 * What ends a login before its time: the grant's own mark (in its family record), a cut-off for a user or a client, one
 * access token, or REVOKE_BEFORE for all. Everything but the single token is measured at the grant's origin, so that a
 * refresh does not get around it.
 */
import type { Clock } from "../../base/clock.ts";
import { type Key, type Store, StoreUnavailable } from "../../store/store.ts";
import type { Cause } from "./failures.ts";

/** What revocations are about. */
export interface Revocable {
  readonly grantId: string;
  readonly client: string;
  readonly subject: string;
  readonly originMs: number;
  /** The access token, where it is one. */
  readonly tokenId?: string;
}

/** The state of a grant's refresh tokens; see `grant_refresh.ts`. */
export interface Family {
  /** The only refresh token that may be rotated. */
  readonly current: string | null;
  /** Rotated out within the grace window. */
  readonly retired: readonly { readonly jti: string; readonly atMs: number }[];
  /** What `current` was issued with, sealed. */
  readonly successor?: string;
  /** Why the grant has ended. */
  readonly revoked?: string;
}

export const familyKey = (grantId: string): Key => ["family", grantId];
const userKey = (subject: string): Key => ["revoked", "user", subject];
const clientKey = (client: string): Key => ["revoked", "client", client];
const tokenKey = (tokenId: string): Key => ["revoked", "token", tokenId];

/** How long a store that is lost is left alone. */
const lostMs = 5_000;

/** Ends all logins of a user that began until now; `ttlMs` is the longest life of a grant. @throws StoreUnavailable */
export function revokeUser(
  store: Store,
  subject: string,
  options: { nowMs: number; ttlMs: number },
): Promise<void> {
  return store.put(userKey(subject), options.nowMs, options.ttlMs);
}

/** Ends all logins by a client that began until now. @throws StoreUnavailable */
export function revokeClient(
  store: Store,
  client: string,
  options: { nowMs: number; ttlMs: number },
): Promise<void> {
  return store.put(clientKey(client), options.nowMs, options.ttlMs);
}

/** Ends one access token. @throws StoreUnavailable */
export function revokeToken(store: Store, tokenId: string, ttlMs: number): Promise<void> {
  return store.put(tokenKey(tokenId), 1, ttlMs);
}

/** Ends one login, with all its tokens. @throws StoreUnavailable */
export async function revokeGrant(store: Store, grantId: string, why: string, ttlMs: number): Promise<void> {
  for (;;) {
    const entry = await store.get<Family>(familyKey(grantId));
    if (entry?.value.revoked !== undefined) return;
    const family: Family = { current: null, retired: [], revoked: why };
    if (await store.putIf(familyKey(grantId), entry?.version, family, ttlMs)) return;
  }
}

/** Looks for revocations, remembering for a moment what the store said. */
export class Revocations {
  readonly #known = new Map<string, { readonly untilMs: number; readonly value: Promise<unknown> }>();

  constructor(
    private readonly parts: { readonly store: Store; readonly clock: Clock },
    private readonly options: { readonly rememberMs: number; readonly revokeBeforeMs: number | undefined },
  ) {}

  /** Asks the store itself; for steps that hand out tokens. @throws StoreUnavailable */
  async check(about: Revocable): Promise<Cause | undefined> {
    return await this.#judge(about, async (key) => (await this.parts.store.get(key))?.value);
  }

  /** As `check`, with an answer up to `rememberMs` old; a lost store revokes nobody. */
  async checkRemembered(about: Revocable): Promise<Cause | undefined> {
    return await this.#judge(about, (key) => this.#remembered(key));
  }

  /** Forgets what was remembered of a grant and a token, after this process has revoked one. */
  forget(about: Revocable): void {
    this.#known.delete(familyKey(about.grantId).join("/"));
    if (about.tokenId !== undefined) this.#known.delete(tokenKey(about.tokenId).join("/"));
  }

  async #judge(about: Revocable, read: (key: Key) => Promise<unknown>): Promise<Cause | undefined> {
    const { grantId, client, subject, originMs, tokenId } = about;
    if (originMs < (this.options.revokeBeforeMs ?? 0)) return "token_revoked_iat_cutoff";
    const [family, user, byClient, token] = await Promise.all([
      read(familyKey(grantId)),
      read(userKey(subject)),
      read(clientKey(client)),
      tokenId === undefined ? undefined : read(tokenKey(tokenId)),
    ]);
    const cutOff = Math.max(Number(user ?? 0), Number(byClient ?? 0));
    const ended = (family as Family | undefined)?.revoked !== undefined || token !== undefined;
    return ended || originMs <= cutOff ? "token_revoked" : undefined;
  }

  #remembered(key: Key): Promise<unknown> {
    const name = key.join("/");
    const nowMs = this.parts.clock.now();
    const found = this.#known.get(name);
    if (found !== undefined && nowMs < found.untilMs) return found.value;
    const value = this.parts.store.get(key).then((entry) => entry?.value, async (error) => {
      if (!(error instanceof StoreUnavailable)) throw error;
      const last = found?.value ?? Promise.resolve(undefined);
      // A lost store answers slowly, so it is not asked at every call.
      this.#known.set(name, { untilMs: this.parts.clock.now() + lostMs, value: last });
      return await last;
    });
    this.#known.delete(name);
    this.#known.set(name, { untilMs: nowMs + this.options.rememberMs, value });
    if (this.#known.size > 20_000) this.#dropOldest();
    return value;
  }

  #dropOldest(): void {
    for (const name of this.#known.keys()) {
      this.#known.delete(name);
      if (this.#known.size <= 15_000) return;
    }
  }
}
