/** When a request that got no answer is sent again: when that cannot make anything happen twice. */
import type { Clock } from "../base/clock.ts";
import type { Outgoing } from "./exchange.ts";
import { codes, Unanswered } from "./rpc_error.ts";

/** An upstream that is just being restarted is waited for this long in all: 200 + 500 + 1,000 ms. */
const pausesMs = [200, 500, 1_000];

/** Methods that only read, so that a second time changes nothing. */
const readingMethods = new Set([
  "initialize",
  "ping",
  "server/discover",
  "tools/list",
  "resources/list",
  "resources/templates/list",
  "resources/read",
  "resources/subscribe",
  "resources/unsubscribe",
  "prompts/list",
  "prompts/get",
  "completion/complete",
  "logging/setLevel",
]);

/** Whether nothing in a message can happen twice. */
export function onlyReads(message: Outgoing): boolean {
  return message.heads.every(({ method }) => readingMethods.has(method ?? ""));
}

/** Runs `once` again after failures that allow it. @throws Unanswered the last failure */
export async function retrying(
  clock: Clock,
  message: Outgoing,
  signal: AbortSignal,
  once: () => Promise<void>,
): Promise<void> {
  for (let attempt = 0;; attempt++) {
    try {
      return await once();
    } catch (error) {
      const pauseMs = pausesMs[attempt];
      if (pauseMs === undefined || !(error instanceof Unanswered) || !maySendAgain(error, message, attempt)) {
        throw error;
      }
      await clock.sleep(pauseMs, signal);
    }
  }
}

function maySendAgain(error: Unanswered, message: Outgoing, attempt: number): boolean {
  if (error.code === codes.unreachable && error.neverReached) return true;
  const cutOff = error.code === codes.unreachable || error.code === codes.streamBroken;
  return cutOff && attempt === 0 && onlyReads(message);
}
