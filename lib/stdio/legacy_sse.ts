/**
 * The transport of revision 2024-11-05: one event stream that names the address for POSTs and then carries every
 * answer.
 *
 *     GET -> event "endpoint" -> POST each message there (202) -> answers and the rest on the stream
 *     stream gone -> what waited gets an error; the next message opens a new one and repeats initialize
 */
import { describeError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { discard, type UpstreamResponse } from "../upstream/upstream.ts";
import { httpError, type Incoming, isOk, mediaType, messageOf, streamed } from "./answer.ts";
import { joinBytes } from "../base/join_bytes.ts";
import type { Outgoing, Waiting } from "./exchange.ts";
import { EventReader } from "./events.ts";
import { isResponse } from "./head.ts";
import type { RemoteParts } from "./remote.ts";
import { answering } from "./renewed_stream.ts";
import { retrying } from "./retrying.ts";
import { codes, Unanswered } from "./rpc_error.ts";
import { watched } from "./silence.ts";
import type { Upstream, UpstreamHost } from "./upstream.ts";

const decoder = new TextDecoder();
const endpointWaitMs = 10_000;

/** An open stream. */
interface Stream {
  readonly endpoint: URL;
  /** Rejects when the stream is gone. */
  readonly gone: Promise<never>;
  readonly abort: AbortController;
}

/** An upstream that answers on its one stream. */
export class LegacySseUpstream implements Upstream {
  readonly #parts: RemoteParts;
  readonly #host: UpstreamHost;
  #stream: Promise<Stream> | undefined;
  /** Answers to what we repeat ourselves; the host has had them. */
  #swallow = 0;
  #swallowed: (() => void) | undefined;

  constructor(parts: RemoteParts, host: UpstreamHost) {
    this.#parts = parts;
    this.#host = host;
  }

  async send(message: Outgoing, own: readonly Waiting[], signal: AbortSignal): Promise<void> {
    const { session, clock } = this.#parts;
    const begins = message.heads[0]?.method === "initialize";
    session.remember(message);
    await retrying(clock, message, signal, async () => {
      const stream = await this.#open(begins, signal);
      await Promise.race([this.#post(stream, message, signal), stream.gone]);
      await Promise.race([answered(own, signal), stream.gone]);
    });
  }

  /** Opens the stream ahead of the first message. @throws Unanswered when there is no such upstream */
  async probe(signal: AbortSignal): Promise<void> {
    await this.#open(true, signal);
  }

  /** The stream may be dead: what waits on it is told so, and another one is opened for what is to come. */
  wake(): void {
    const { session, signal, log } = this.#parts;
    this.#letGo()?.then(() => session.initialize === undefined ? undefined : this.#open(false, signal))
      .catch((error) => log.debug("stream_not_renewed", { cause: describeError(error) }));
  }

  close(): Promise<void> {
    this.#letGo();
    return Promise.resolve();
  }

  #letGo(): Promise<void> | undefined {
    const stream = this.#stream;
    this.#stream = undefined;
    return stream?.then(({ abort }) => abort.abort(), () => {});
  }

  #open(begins: boolean, signal: AbortSignal): Promise<Stream> {
    if (this.#stream !== undefined) return this.#stream;
    const opening = this.#connect(signal).then(async (stream) => {
      if (!begins) await this.#repeat(stream, signal);
      return stream;
    });
    this.#stream = opening;
    opening.then(({ gone }) => gone).catch(() => {
      if (this.#stream === opening) this.#stream = undefined;
    });
    return opening;
  }

  async #connect(signal: AbortSignal): Promise<Stream> {
    const { url, fetch, connectTimeoutMs } = this.#parts;
    const abort = new AbortController();
    const response = await fetch({
      method: "GET",
      url,
      headers: [["accept", "text/event-stream"]],
      signal: AbortSignal.any([abort.signal, this.#parts.signal]),
      timeoutMs: connectTimeoutMs,
    });
    if (!isOk(response)) throw await httpError(response);
    if (mediaType(response) !== "text/event-stream") {
      await discard(response);
      throw new Unanswered(codes.badAnswer, "The upstream has no event stream", {
        httpStatus: response.status,
      });
    }
    const endpoint = Promise.withResolvers<URL>();
    const gone = this.#read(response, endpoint.resolve).then(
      () => Promise.reject(cutOff()),
      (cause) => Promise.reject(cutOff(cause)),
    );
    gone.catch((error) => endpoint.reject(error));
    const timer = setTimeout(() => abort.abort(), endpointWaitMs);
    signal.addEventListener("abort", () => endpoint.reject(signal.reason), { once: true });
    try {
      return { endpoint: this.#sameOrigin(await endpoint.promise), gone, abort };
    } catch (error) {
      abort.abort();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** The address comes from the stream: credentials follow it to the same origin only. */
  #sameOrigin(endpoint: URL): URL {
    if (endpoint.origin === this.#parts.url.origin) return endpoint;
    throw new Unanswered(
      codes.badAnswer,
      `The upstream sends its messages to another origin, ${endpoint.origin}`,
    );
  }

  async #read({ body }: UpstreamResponse, onEndpoint: (url: URL) => void): Promise<void> {
    const reader = new EventReader();
    // One stream for everything, and a new one is a new session: it is not let go for its silence alone.
    const watchdog = answering(this.#parts, () => undefined);
    for await (const piece of watched(streamed(body), watchdog)) {
      for (const event of reader.push(piece)) {
        if (event.type === "endpoint") {
          const address = decoder.decode(joinBytes(event.data));
          if (URL.canParse(address, this.#parts.url)) onEndpoint(new URL(address, this.#parts.url));
          continue;
        }
        const message = messageOf(event.data);
        if (message !== undefined) await this.#receive(message);
      }
    }
  }

  async #receive(message: Incoming): Promise<void> {
    if (this.#swallow > 0 && isResponse(message.heads[0] ?? {})) {
      this.#swallow--;
      return this.#swallowed?.();
    }
    await this.#host.receive(message, []);
  }

  async #post(stream: Stream, message: Outgoing, signal: AbortSignal): Promise<void> {
    const { fetch, session, connectTimeoutMs } = this.#parts;
    const version: [string, string][] = session.protocolVersion === undefined
      ? []
      : [["mcp-protocol-version", session.protocolVersion]];
    const response = await fetch({
      method: "POST",
      url: stream.endpoint,
      headers: [["content-type", "application/json"], ...version],
      body: message.bytes,
      signal,
      timeoutMs: connectTimeoutMs,
    });
    if (!isOk(response)) throw await httpError(response);
    await discard(response);
  }

  /** A new stream is a new session: it hears what the old one heard. */
  async #repeat(stream: Stream, signal: AbortSignal): Promise<void> {
    const { session, log } = this.#parts;
    const { initialize, initialized, logLevel } = session;
    if (initialize === undefined) return;
    log.info("session_lost", { reason: "the event stream ended" });
    for (const message of [initialize, initialized, logLevel, ...session.subscriptions.values()]) {
      if (message === undefined) continue;
      const isRequest = message.heads[0]?.id !== undefined;
      const done = Promise.withResolvers<void>();
      if (isRequest) {
        this.#swallow++;
        this.#swallowed = done.resolve;
      } else done.resolve();
      await Promise.race([this.#post(stream, message, signal), stream.gone]);
      await Promise.race([done.promise, stream.gone]);
    }
    logRenewed(log, session.subscriptions.size);
  }
}

function logRenewed(log: Logger, count: number): void {
  log.info("session_renewed", { count });
}

/** Resolves when every request has its answer; rejects when the signal aborts. */
function answered(own: readonly Waiting[], signal: AbortSignal): Promise<unknown> {
  const aborted = new Promise<never>((_, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason), { once: true })
  );
  return Promise.race([Promise.all(own.map((waiting) => waiting.done)), aborted]);
}

function cutOff(cause?: unknown): Unanswered {
  return new Unanswered(codes.streamBroken, "The upstream's event stream ended before the answer", {
    hint: "The request may have been carried out; look before sending it again",
    cause,
  });
}
