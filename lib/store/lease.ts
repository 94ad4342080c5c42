/**
 * A lock that processes share through the store.
 *
 *     putIf(absent) ──won──> fn(lease) ──done or thrown──> deleteIf(version)
 *         │ taken                │ every third of the life: putIf(version)
 *         └─ wait, with jitter   └─ lost: lease.signal aborts
 *
 * A holder that dies is succeeded when its lease runs out. Whoever comes back late finds that the version has moved on
 * and can neither renew nor release what is no longer its own.
 */
import type { Clock } from "../base/clock.ts";
import { type Key, type Store, StoreUnavailable } from "./store.ts";

/** How to hold a lease. */
export interface LeaseOptions {
  /** How long a holder that died keeps the others waiting; milliseconds. */
  readonly ttlMs: number;
  readonly clock: Clock;
  /** Ends the wait for the lease; rejects with its reason. */
  readonly signal?: AbortSignal;
}

/** What the holder may ask. */
export interface Lease {
  /** Aborted once the lease could not be renewed: somebody else may hold it now. */
  readonly signal: AbortSignal;
}

/** Runs `fn` while no other caller with this key runs. @throws StoreUnavailable, or what `fn` throws. */
export async function withLease<T>(
  store: Store,
  key: Key,
  options: LeaseOptions,
  fn: (lease: Lease) => Promise<T>,
): Promise<T> {
  const { ttlMs, clock, signal } = options;
  const holder = crypto.randomUUID();
  signal?.throwIfAborted();
  for (
    let waitMs = 10;
    !await store.putIf(key, undefined, holder, ttlMs);
    waitMs = Math.min(waitMs * 2, 200)
  ) {
    await clock.sleep(waitMs / 2 + Math.random() * waitMs / 2, signal);
  }
  const lost = new AbortController();
  const done = new AbortController();
  const renewal = renew(store, key, holder, { ttlMs, clock, signal: done.signal })
    .catch((error) => lost.abort(error));
  try {
    return await fn({ signal: lost.signal });
  } finally {
    done.abort();
    await renewal;
    // What cannot be released now runs out by itself.
    await release(store, key, holder).catch(() => {});
  }
}

/** Returns when the signal aborts; throws when the lease is no longer ours. */
async function renew(store: Store, key: Key, holder: string, options: LeaseOptions): Promise<void> {
  const { ttlMs, clock, signal } = options;
  let renewedAtMs = clock.now();
  for (;;) {
    try {
      await clock.sleep(ttlMs / 3, signal);
    } catch {
      return;
    }
    try {
      const entry = await store.get<string>(key);
      if (entry?.value !== holder || !await store.putIf(key, entry.version, holder, ttlMs)) {
        throw new DOMException("The lease was lost", "AbortError");
      }
      renewedAtMs = clock.now();
    } catch (error) {
      if (!(error instanceof StoreUnavailable) || clock.now() - renewedAtMs >= ttlMs) throw error;
    }
  }
}

async function release(store: Store, key: Key, holder: string): Promise<void> {
  const entry = await store.get<string>(key);
  if (entry?.value === holder) await store.deleteIf(key, entry.version);
}
