/**
 * When the process ends: the host closes stdin, reads stdout no longer, sends a signal, or is gone. And the one thing
 * that happens to it in between: the machine sleeps and wakes.
 */
import type { Clock } from "../base/clock.ts";

/** Why it ends. */
export type Ending = "stdin_closed" | "stdout_broken" | "parent_gone" | "SIGTERM" | "SIGINT" | "SIGHUP";

const signals = ["SIGTERM", "SIGINT", "SIGHUP"] as const;
const tickMs = 400;
/** A tick this late means that the machine slept. */
const sleptMs = 15_000;

/** What watches over the life of the process. */
export interface Watch extends Disposable {
  /** Resolves at the first cause to end. */
  readonly ended: Promise<Ending>;
}

/** Begins to watch. `onWake` is called after the machine has slept. */
export function watchLife(
  parts: { readonly clock: Clock; readonly stdoutBroken: Promise<void>; readonly onWake: () => void },
): Watch {
  const { promise: ended, resolve } = Promise.withResolvers<Ending>();
  const handlers = signals.map((name) => [name, () => resolve(name)] as const);
  for (const [name, handler] of handlers) {
    try {
      Deno.addSignalListener(name, handler);
    } catch {
      // Not every system has every signal.
    }
  }
  parts.stdoutBroken.then(() => resolve("stdout_broken"));
  const parent = Deno.ppid;
  let last = parts.clock.now();
  const timer = setInterval(() => {
    if (Deno.ppid !== parent) resolve("parent_gone");
    const now = parts.clock.now();
    if (now - last > sleptMs) parts.onWake();
    last = now;
  }, tickMs);
  return {
    ended,
    [Symbol.dispose]() {
      clearInterval(timer);
      for (const [name, handler] of handlers) {
        try {
          Deno.removeSignalListener(name, handler);
        } catch {
          // It was never added.
        }
      }
    },
  };
}
