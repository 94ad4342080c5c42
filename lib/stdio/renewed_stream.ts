/**
 * What is done about a stream that is silent for long.
 *
 *     the upstream's own stream      -> a new one beside it, then the old one is let go; refused? let go first
 *     an answer with event ids       -> the same, if the upstream goes on with it where it stopped (Last-Event-ID)
 *     any other answer               -> waited for, as long as the upstream can be connected to: to cut it off would
 *                                       lose it
 */
import type { Clock } from "../base/clock.ts";
import { discard, type UpstreamResponse } from "../upstream/upstream.ts";
import { isOk, mediaType, readEventStream, type Receive } from "./answer.ts";
import type { StreamHints } from "./events.ts";
import { codes, Unanswered } from "./rpc_error.ts";
import type { Watchdog } from "./silence.ts";

/** Servers that keep their streams alive say something every 15 to 30 s. */
export const silentMs = 45_000;
/** A server may also have nothing to say for long: it is asked less and less often. */
const maxSilentMs = 8 * 60_000;
/** How long it takes to see twice that the upstream has gone stays below 30 s. */
const lookEveryMs = 15_000;
const openMs = 10_000;

/** What a watchdog needs. */
export interface StreamWatchParts {
  readonly clock: Clock;
  /** Whether the upstream can be connected to; true where that cannot be told. */
  readonly isReachable: () => Promise<boolean>;
}

/** Another stream takes the place of a silent one; without one it is only let go. */
class Renewed extends Error {
  constructor(readonly response?: UpstreamResponse) {
    super("The stream was silent");
  }
}

/** Reads a stream and those that take its place, until one ends. @throws whatever broke it */
export async function readRenewed(
  first: UpstreamResponse,
  receive: Receive,
  hints: StreamHints,
  watchdog: Watchdog,
): Promise<void> {
  for (let response: UpstreamResponse | undefined = first; response !== undefined;) {
    try {
      return await readEventStream(response, receive, hints, watchdog);
    } catch (error) {
      if (!(error instanceof Renewed)) throw error;
      response = error.response;
    }
  }
}

/** For a stream that may be let go at any time: the upstream's own, or a subscription. */
export function renewing(clock: Clock, open?: () => Promise<UpstreamResponse>): Watchdog {
  let limitMs = silentMs;
  return {
    clock,
    onLatePiece: () => void (limitMs = silentMs),
    async onSilence(quietMs) {
      if (quietMs < limitMs) return;
      limitMs = Math.min(limitMs * 2, maxSilentMs);
      throw new Renewed(open === undefined ? undefined : await soon(open()));
    },
  };
}

/** For the answer to a request; `resume` asks the upstream to go on with it on another stream, where it may. */
export function answering(
  { clock, isReachable }: StreamWatchParts,
  resume: () => Promise<UpstreamResponse> | undefined,
): Watchdog {
  let [lastMs, missed, lookAtMs, resumeAtMs] = [0, 0, 0, 0];
  return {
    clock,
    async onSilence(quietMs) {
      // Something has come meanwhile.
      if (quietMs <= lastMs || lastMs === 0) [missed, lookAtMs, resumeAtMs] = [0, lookEveryMs, silentMs];
      lastMs = quietMs;
      if (missed > 0 || quietMs >= lookAtMs) {
        lookAtMs = quietMs + lookEveryMs;
        missed = await isReachable() ? 0 : missed + 1;
        // Once may be a server that is just being replaced.
        if (missed === 2) throw gone();
      }
      if (quietMs < resumeAtMs) return;
      resumeAtMs = Math.min(quietMs * 2, quietMs + maxSilentMs);
      const opening = resume();
      const next = opening === undefined ? undefined : await soon(opening);
      if (next !== undefined) throw new Renewed(next);
    },
  };
}

/** The new stream, if there is one soon. */
async function soon(opening: Promise<UpstreamResponse>): Promise<UpstreamResponse | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => timer = setTimeout(() => resolve(undefined), openMs));
  try {
    const response = await Promise.race([opening, late]);
    if (response !== undefined && isOk(response) && mediaType(response) === "text/event-stream") {
      return response;
    }
    opening.then(discard).catch(() => {});
  } catch {
    // There is none.
  } finally {
    clearTimeout(timer);
  }
}

function gone(): Unanswered {
  return new Unanswered(codes.unreachable, "The upstream cannot be reached any more", {
    hint: "The request may have been carried out; look before sending it again",
  });
}
