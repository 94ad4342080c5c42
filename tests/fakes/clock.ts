import type { Clock } from "../../lib/base/clock.ts";

/** A clock that stands still until it is told to move. */
export interface FakeClock extends Clock {
  /** Moves time on; every sleep that has become due resolves, in order, before this resolves. */
  advance(ms: number): Promise<void>;
  /** Sleeps that are waiting. */
  readonly waiting: number;
}

/** Lets seconds pass, five at a time, with real networks getting their turn in between. */
export async function pass(clock: FakeClock, seconds: number): Promise<void> {
  for (let past = 0; past < seconds; past += 5) {
    await clock.advance(5_000);
    await new Promise((go) => setTimeout(go, 5));
  }
}

/** Lets time pass until this comes. */
export async function passUntil<T>(clock: FakeClock, event: Promise<T>): Promise<T> {
  let isOver = false;
  const over = () => void (isOver = true);
  event.then(over, over);
  while (!isOver) await pass(clock, 5);
  return await event;
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
