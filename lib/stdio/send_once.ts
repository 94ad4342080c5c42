/**
 * One HTTP request to the upstream, and every way in which it can stay without an answer:
 *
 *     transport.send() -> the answer's head
 *       -> the signal aborts                     : its reason; also ends the body that is being read
 *       -> time is over (not for a patient one)  : timed out
 *       -> patient, and the upstream is gone     : cannot be reached any more
 *       -> anything else                         : what the network said, with a hint
 */
import { isStream } from "../base/byte_stream.ts";
import { describeError, UserError } from "../base/errors.ts";
import type { Watch, Watched } from "../base/watch.ts";
import type { Transport } from "../upstream/transport.ts";
import { type HeaderList, UpstreamError, type UpstreamResponse } from "../upstream/upstream.ts";
import { isReachable } from "./reachable.ts";
import { codes, Unanswered } from "./rpc_error.ts";

/** What is sent; the credentials and what every request carries are added. */
export interface UpstreamRequest {
  readonly method: "POST" | "GET" | "DELETE";
  /** Of the upstream's own origin. */
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly signal: AbortSignal;
  /** Until the answer's headers; 0 or absent: no limit. */
  readonly timeoutMs?: number;
  /** Must not be carried out twice. */
  readonly once?: boolean;
  /** With `timeoutMs`: the answer may take longer as long as the upstream can be reached. */
  readonly patient?: boolean;
}

/** How requests leave. */
export interface SendOnceParts {
  readonly transport: Transport;
  /** The upstream is connected to directly, so that looking whether it is there makes sense. */
  readonly isDirect: (url: URL) => boolean;
  /** Keeps the time of all requests; a timer for each would cost as much as sending one. */
  readonly watch: Watch;
}

/** Sends it, with these headers in place of its own. @throws Unanswered, or the signal's reason */
export function sendOnce(
  { transport, isDirect, watch }: SendOnceParts,
  request: UpstreamRequest,
  headers: HeaderList,
): Promise<UpstreamResponse> {
  const { method, url, body = null, signal, timeoutMs = 0, patient = false, once = false } = request;
  if (signal.aborted) return Promise.reject(signal.reason);
  const target = url.pathname + url.search;
  const sending = transport.send({ method, target, headers, body, mayRepeat: !once });
  const { promise, resolve, reject } = Promise.withResolvers<UpstreamResponse>();
  const stop = (reason: Error) => {
    sending.cancel(reason);
    reject(reason);
  };
  const onAbort = () => stop(signal.reason);
  signal.addEventListener("abort", onAbort);
  const limit = timeoutMs === 0
    ? undefined
    : !patient
    ? new Limit(timeoutMs, () => stop(timedOut(url, timeoutMs)))
    : isDirect(url)
    // The look itself takes a while; together they stay within the limit.
    ? new Lookout(url, timeoutMs * 0.8, () => stop(lost(url)))
    : undefined;
  if (limit !== undefined) watch.enter(limit);
  sending.response.then((answer) => {
    if (limit !== undefined) watch.leave(limit);
    // A body that is still to come ends with the signal as well.
    if (!isStream(answer.body)) signal.removeEventListener("abort", onAbort);
    resolve(answer);
  }, (error) => {
    if (limit !== undefined) watch.leave(limit);
    signal.removeEventListener("abort", onAbort);
    if (signal.aborted) reject(signal.reason);
    else if (error instanceof Unanswered) reject(error);
    else unreachable(url, error, isDirect(url)).then(reject, reject);
  });
  return promise;
}

/** An answer that has to come in time. */
class Limit implements Watched {
  constructor(readonly ms: number, readonly onOver: () => void) {}

  look(ageMs: number): void {
    if (ageMs >= this.ms) this.onOver();
  }
}

/**
 * For an answer that may take as long as it likes, as that of a tool, unless the server has gone meanwhile: every
 * `everyMs` it is looked for.
 */
class Lookout implements Watched {
  #nextMs: number;

  constructor(readonly url: URL, readonly everyMs: number, readonly onGone: () => void) {
    this.#nextMs = everyMs;
  }

  look(ageMs: number): void {
    if (ageMs < this.#nextMs) return;
    this.#nextMs = Infinity;
    isReachable(this.url).then((there) => {
      if (!there) return this.onGone();
      this.#nextMs = ageMs + this.everyMs;
    });
  }
}

function timedOut(url: URL, timeoutMs: number): Unanswered {
  const found = `Cannot reach ${url.origin}: no answer within ${timeoutMs / 1000} s`;
  return new Unanswered(codes.timedOut, found, { hint });
}

function lost(url: URL): Unanswered {
  return new Unanswered(codes.unreachable, `Cannot reach ${url.origin} any more`, {
    hint: "The request may have been carried out; look before sending it again",
  });
}

const hint = "Check that the server is running and its address is right, then try again";

async function unreachable(url: URL, error: unknown, mayProbe: boolean): Promise<Unanswered> {
  if (error instanceof UserError) {
    return new Unanswered(codes.unreachable, error.message, { hint: error.hint, cause: error });
  }
  const { NetworkError, networkError } = await import("../base/network_error.ts");
  // Where no connection came about, the runtime's own words say what is wrong with name, address or certificate.
  const cause = error instanceof UpstreamError && error.failure === "unreachable" ? error.cause : undefined;
  const found = error instanceof NetworkError ? error : await networkError(url, cause ?? error, { mayProbe });
  return new Unanswered(codes.unreachable, found.message, {
    hint: found.hint ?? hint,
    // Name, certificate and refused connection: not a byte of the request has left.
    neverReached: /refused|resolve|unreachable|certificate|dns/i.test(describeError(found)),
    cause: error,
  });
}
