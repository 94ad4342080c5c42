/**
 * The streamable HTTP upstream: each message of the host is one POST, whose answer is a JSON text or a stream.
 *
 *     deliver(message) -> its turn -> POST -> 404 and a session? -> a new session, once -> POST again
 *       -> 202                   : taken, nothing to say
 *       -> JSON                  : one message to the host
 *       -> an event stream       : messages to the host until it ends; cut off before the answer: resumed by GET
 *       -> anything else         : an error with the request's id
 */
import type { Clock } from "../base/clock.ts";
import { takeBack } from "../base/lent_memory.ts";
import { type Logger, safeUrl } from "../base/log.ts";
import { discard, type UpstreamResponse } from "../upstream/upstream.ts";
import { httpError, type Incoming, isOk, mediaType, notJsonRpc, readJson, type Receive } from "./answer.ts";
import type { AuthorizedFetch } from "./authorized_fetch.ts";
import type { StreamHints } from "./events.ts";
import type { Outgoing } from "./exchange.ts";
import { messageHeaders } from "./modern.ts";
import { answering, readRenewed, renewing } from "./renewed_stream.ts";
import { onlyReads } from "./retrying.ts";
import { codes, Unanswered } from "./rpc_error.ts";
import type { Session } from "./session.ts";
import { isSessionLost } from "./session_lost.ts";
import type { Watchdog } from "./silence.ts";

/** What carrying messages needs. */
export interface RemoteParts {
  readonly url: URL;
  readonly fetch: AuthorizedFetch;
  readonly session: Session;
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends everything at exit. */
  readonly signal: AbortSignal;
  /** Until the upstream begins to answer; milliseconds, 0: for ever. */
  readonly connectTimeoutMs: number;
  /** Whether the upstream can be connected to; true where that cannot be told. */
  readonly isReachable: () => Promise<boolean>;
}

/** How one message is delivered. */
export interface Delivery {
  /** Takes what comes back. */
  readonly receive: Receive;
  /** Whether the answer has come, or nobody waits for it any more. */
  readonly isDone: () => boolean;
  /** Revision 2026-07-28 knows no resumption: a stream that breaks is gone. */
  readonly resumable?: false;
  /** What to do when the stream is silent for long; default: to see whether the upstream is still there. */
  readonly watchdog?: Watchdog;
  readonly signal: AbortSignal;
}

const accept = ["accept", "application/json, text/event-stream"] as const;
const json = ["content-type", "application/json"] as const;
/** Before a stream is connected to again when the upstream has not said how long to wait. */
const defaultRetryMs = 1_000;
const minRetryMs = 50;
const maxRetryMs = 30_000;
/** A stream that ends sooner without having gone on is none. */
const usefulMs = 1_000;
const maxFailedResumes = 5;
/** Who waits for the answer is told within half a minute. */
const maxResumingMs = 20_000;

/** One POST; the answer may be of any status. */
export function post(
  parts: RemoteParts,
  message: Outgoing,
  signal: AbortSignal,
  extra: readonly (readonly [name: string, value: string])[] = [],
): Promise<UpstreamResponse> {
  return parts.fetch({
    method: "POST",
    url: parts.url,
    headers: [accept, json, ...messageHeaders(message, parts.session), ...extra],
    body: message.bytes,
    signal,
    timeoutMs: parts.connectTimeoutMs,
    patient: isPatient(message),
    once: !onlyReads(message),
  });
}

/** What a server answers from what it knows; everything else, such as a tool, may take as long as it likes. */
const quickMethods = new Set<string | undefined>([
  "initialize",
  "server/discover",
  "ping",
  "tools/list",
  "prompts/list",
  "resources/list",
  "resources/templates/list",
  "logging/setLevel",
]);

function isPatient(message: Outgoing): boolean {
  return message.heads.some(({ method }) => !quickMethods.has(method));
}

/** Reads the answer to a POST. @throws Unanswered */
export async function readAnswer(
  parts: RemoteParts,
  response: UpstreamResponse,
  delivery: Delivery,
): Promise<void> {
  const type = mediaType(response);
  if (!isOk(response)) {
    const message = type === "application/json"
      ? await whole(parts, response).catch(() => undefined)
      : undefined;
    if (message !== undefined && message.heads.some((head) => head.errorCode !== undefined)) {
      return await delivery.receive(message);
    }
    throw await httpError(response);
  }
  if (type === "text/event-stream") return await readStream(parts, response, delivery);
  if (type === "application/json" || response.status === 200) {
    const message = await whole(parts, response);
    if (message === undefined) return;
    await delivery.receive(message);
    return takeBack(message.parts);
  }
  await discard(response);
  if (response.status !== 202 && response.status !== 204) throw notJsonRpc(response);
}

/** A body that breaks off is an answer that never came. */
async function whole(parts: RemoteParts, response: UpstreamResponse): Promise<Incoming | undefined> {
  try {
    return await readJson(response, () => answering(parts, () => undefined));
  } catch (cause) {
    throw cause instanceof Unanswered ? cause : broken(cause);
  }
}

function broken(cause?: unknown): Unanswered {
  if (cause instanceof Unanswered && cause.code === codes.unreachable && !cause.neverReached) return cause;
  return new Unanswered(codes.streamBroken, "The connection to the upstream ended before the answer", {
    hint: "The request may have been carried out; look before sending it again",
    cause,
  });
}

async function readStream(parts: RemoteParts, response: UpstreamResponse, delivery: Delivery): Promise<void> {
  const hints: StreamHints = {};
  let cause: unknown;
  const resume = () =>
    delivery.resumable === false || hints.lastEventId === undefined
      ? undefined
      : openStream(parts, hints, delivery.signal);
  const read = (stream: UpstreamResponse) =>
    readRenewed(stream, delivery.receive, hints, delivery.watchdog ?? answering(parts, resume));
  await read(response).catch((error) => cause = error);
  let since = parts.clock.now();
  for (let failed = 0; !delivery.isDone();) {
    if (delivery.signal.aborted) throw delivery.signal.reason;
    const tooOften = failed === maxFailedResumes || failed > 0 && parts.clock.now() - since > maxResumingMs;
    // Without an event id there is no place to go on from (revision 2025-11-25, "Resumability and Redelivery").
    if (delivery.resumable === false || hints.lastEventId === undefined || tooOften) throw broken(cause);
    await parts.clock.sleep(pauseMs(hints, failed), delivery.signal);
    try {
      const resumed = await openStream(parts, hints, delivery.signal);
      if (!isOk(resumed) || mediaType(resumed) !== "text/event-stream") {
        cause = await httpError(resumed);
        failed = resumed.status >= 500 || resumed.status === 429 ? failed + 1 : maxFailedResumes;
        continue;
      }
      const isUseful = usefulness(parts.clock, hints);
      await read(resumed).catch((error) => cause = error);
      failed = isUseful() ? 0 : failed + 1;
      if (failed === 0) since = parts.clock.now();
    } catch (error) {
      cause = error;
      failed++;
    }
  }
}

/** Before a stream is opened again: what the upstream asked for, and longer each time that it was of no use. */
function pauseMs({ retryMs = defaultRetryMs }: StreamHints, failed: number): number {
  if (failed === 0) return retryMs;
  return Math.max(retryMs, Math.min(Math.max(retryMs, minRetryMs) * 2 ** failed, maxRetryMs));
}

/** Whether a stream, when it has ended, was worth opening: it went on, or was at least there for a while. */
function usefulness(clock: Clock, hints: StreamHints): () => boolean {
  const [sinceMs, lastEventId] = [clock.now(), hints.lastEventId];
  return () => hints.lastEventId !== lastEventId || clock.now() - sinceMs >= usefulMs;
}

function openStream(parts: RemoteParts, hints: StreamHints, signal: AbortSignal): Promise<UpstreamResponse> {
  const last: [string, string][] = hints.lastEventId ? [["last-event-id", hints.lastEventId]] : [];
  return parts.fetch({
    method: "GET",
    url: parts.url,
    headers: [["accept", "text/event-stream"], ...parts.session.headers(), ...last],
    signal,
    timeoutMs: parts.connectTimeoutMs,
    // Some servers send the headers with the first event.
    patient: true,
  });
}

/**
 * The upstream's own stream (revisions 2025-03-26 to 2025-11-25): what it says without having been asked. Connected
 * again whenever it ends, until the signal; upstreams without one answer 405. `session_lost` when a stream that was
 * open before is refused because the session is gone.
 */
export async function listen(
  parts: RemoteParts,
  receive: Receive,
  signal: AbortSignal,
): Promise<"ended" | "session_lost"> {
  const hints: StreamHints = {};
  const { clock, log } = parts;
  const watchdog = renewing(clock, () => openStream(parts, hints, signal));
  let opened = false;
  for (let failed = 0; !signal.aborted;) {
    try {
      const response = await openStream(parts, hints, signal);
      if (isOk(response) && mediaType(response) === "text/event-stream") {
        log.debug("stream_opened", { url: safeUrl(parts.url) });
        opened = true;
        const isUseful = usefulness(clock, hints);
        await readRenewed(response, receive, hints, watchdog).catch(() => {});
        failed = isUseful() ? 0 : failed + 1;
      } else {
        const { lost, answer } = await isSessionLost(response);
        await discard(answer);
        if (lost && opened) return "session_lost";
        if (response.status < 500 && response.status !== 429 && response.status !== 409) return "ended";
        failed++;
      }
    } catch {
      failed++;
    }
    if (signal.aborted) break;
    await clock.sleep(pauseMs(hints, failed), signal).catch(() => {});
  }
  return "ended";
}

/** Tells the upstream that the session is over; whether it listens does not matter. */
export async function endSession(parts: RemoteParts, signal: AbortSignal): Promise<void> {
  if (parts.session.id === undefined) return;
  try {
    const response = await parts.fetch({
      method: "DELETE",
      url: parts.url,
      headers: parts.session.headers(),
      signal,
    });
    await discard(response);
  } catch {
    // The upstream forgets sessions by itself.
  }
}
