/**
 * What must be seen once or shared: used marks, refresh families, revocations, leases, oversized IdP tokens.
 * Everything else is sealed into what the parties carry. Each value has a lifetime; an implementation may delete
 * late but never returns what has expired.
 */

/** A path such as `["family", id]`; the parts are joined by the implementation. */
export type Key = readonly string[];

/** A stored value and the version that `putIf` compares. */
export interface Entry<T> {
  readonly value: T;
  readonly version: string;
}

/** All implementations pass `tests/store/store_cases.ts`. Every method throws `StoreUnavailable` when the store is lost. */
export interface Store extends AsyncDisposable {
  get<T>(key: Key): Promise<Entry<T> | undefined>;
  put(key: Key, value: unknown, ttlMs: number): Promise<void>;
  /**
   * Writes only if the key still has `version` (`undefined`: only if it does not exist) and says whether it did.
   * Of several racing callers exactly one wins: single use, reuse detection and leases all rest on this.
   */
  putIf(key: Key, version: string | undefined, value: unknown, ttlMs: number): Promise<boolean>;
  /** Adds to a counter and returns its new value; `ttlMs` counts from the first addition. */
  add(key: Key, amount: number, ttlMs: number): Promise<number>;
  delete(key: Key): Promise<void>;
  /** Deletes only if the key still has `version`, and says whether it did. */
  deleteIf(key: Key, version: string): Promise<boolean>;
  /** Resolves when the store answers. */
  ping(): Promise<void>;
  /** The connection to Redis (ioredis' client), for a library that keeps counts of its own there. */
  readonly redis?: { readonly client: unknown; readonly keyPrefix: string };
}

/** The store cannot be reached; a transient failure for whoever waits for it. */
export class StoreUnavailable extends Error {
  override readonly name = "StoreUnavailable";
}
