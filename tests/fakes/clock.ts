import { type Clock, systemClock } from "../../lib/base/clock.ts";

/** A clock that stands still until it is told to move. */
export interface FakeClock extends Clock {
  /** Moves time on; every sleep that has become due resolves, in order, before this resolves. */
  advance(ms: number): Promise<void>;
  /** Sleeps that are waiting. */
  readonly waiting: number;
}

/** The real time, going `times` as fast, and moved on by hand: for code that also waits for real networks. */
export function hastyClock(times: number): Clock & { move(ms: number): void } {
  const startMs = performance.now();
  let movedMs = 0;
  return {
    now: () => Date.UTC(2026, 0, 1) + movedMs + (performance.now() - startMs) * times,
    sleep: (ms, signal) => systemClock.sleep(ms / times, signal),
    move: (ms) => void (movedMs += ms),
  };
}

interface Sleeper {
  readonly dueMs: number;
  wake(): void;
}

/** Starts at `startMs`, by default 2026-01-01T00:00:00Z. */
export function fakeClock(startMs = Date.UTC(2026, 0, 1)): FakeClock {
  let nowMs = startMs;
  let sleepers: Sleeper[] = [];

  return {
    now: () => nowMs,
    get waiting() {
      return sleepers.length;
    },
    sleep(ms, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const onAbort = () => {
          sleepers = sleepers.filter((other) => other !== sleeper);
          reject(signal?.reason);
        };
        const sleeper: Sleeper = {
          dueMs: nowMs + ms,
          wake() {
            signal?.removeEventListener("abort", onAbort);
            resolve();
          },
        };
        signal?.addEventListener("abort", onAbort, { once: true });
        sleepers.push(sleeper);
      });
    },
    async advance(ms) {
      const untilMs = nowMs + ms;
      for (;;) {
        await settle();
        const next = sleepers.filter((sleeper) => sleeper.dueMs <= untilMs)
          .sort((a, b) => a.dueMs - b.dueMs)[0];
        if (next === undefined) break;
        sleepers = sleepers.filter((sleeper) => sleeper !== next);
        nowMs = Math.max(nowMs, next.dueMs);
        next.wake();
      }
      nowMs = untilMs;
      await settle();
    },
  };
}

/** Lets what is already resolved run on. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}
