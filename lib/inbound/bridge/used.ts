import type { Store } from "../../store/store.ts";

/** What can be used once. */
export type OneTime = "consent" | "callback_state" | "code" | "assertion";

/**
 * Marks something as used and says whether this was the first time. The mark outlives the thing by a minute, so that
 * clocks that differ do not bring it back. @throws StoreUnavailable
 */
export function useOnce(store: Store, kind: OneTime, id: string, remainingMs: number): Promise<boolean> {
  return store.putIf(["used", kind, id], undefined, 1, Math.max(remainingMs, 0) + 60_000);
}
