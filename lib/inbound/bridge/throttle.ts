import type { Clock } from "../../base/clock.ts";

/** A token bucket of one process; `ratePerSec` 0: it never runs dry. Returns whether there was a token left. */
export function tokenBucket(config: { ratePerSec: number; burst: number }, clock: Clock): () => boolean {
  let left = config.burst;
  let atMs = clock.now();
  return () => {
    if (config.ratePerSec <= 0) return true;
    const nowMs = clock.now();
    left = Math.min(config.burst, left + (nowMs - atMs) / 1000 * config.ratePerSec);
    atMs = nowMs;
    if (left < 1) return false;
    left -= 1;
    return true;
  };
}
