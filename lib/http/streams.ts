/**
 * Event streams on their way to the client. The bytes of the upstream pass as they come; what is added is a comment
 * after a silence, and only between two events, where the format allows one (HTML, server-sent events).
 *
 *     upstream chunk -> client, at the pace of the client
 *     silence        -> `: keep-alive` between events
 *     token ended    -> the stream ends (GET and listen streams only; an answer that has begun is never cut)
 *     drain          -> GET and listen streams end at once
 *     upstream dies  -> ids seen: cut, so that the client resumes; else an error event for its request, and an end
 */
import { Watch, type Watched } from "../base/watch.ts";
import { EventTail, hasEventId } from "./event_tail.ts";

/** What a stream needs to know beside its bytes. */
export interface StreamOptions {
  /** A GET or listen stream: it has no answer to wait for, so that it may be ended at any time. */
  readonly standing: boolean;
  /** Whether the stream has to end now (token ended or revoked); asked every few seconds. */
  readonly over?: () => boolean | Promise<boolean>;
  /** The event that tells the client that no answer will come; called when the upstream dies. */
  readonly failureEvent?: () => string | undefined;
  /** Called once, however the stream ends. */
  readonly onEnd: (bytes: number, how: "done" | "client_gone" | "ended" | "upstream_died") => void;
}

const encoder = new TextEncoder();
const opening = encoder.encode(": open\n\n");
const keepAlive = encoder.encode(": keep-alive\n\n");

/** How far into a stream event ids are looked for; later, only what passed last is looked at. */
const idSearchBytes = 65_536;
const tickMs = 1_000;

/** All event streams of the server. */
export class Streams {
  readonly #watch = new Watch(tickMs);
  readonly #open = new Set<EventStream>();
  #draining = false;

  /** `commentEveryMs` 0: no comments. */
  constructor(private readonly commentEveryMs: number) {}

  get size(): number {
    return this.#open.size;
  }

  /** The body for the client. */
  pass(body: ReadableStream<Uint8Array>, options: StreamOptions): ReadableStream<Uint8Array> {
    const stream = new EventStream(body, options, this.commentEveryMs, () => {
      this.#open.delete(stream);
      this.#watch.leave(stream);
    });
    this.#open.add(stream);
    this.#watch.enter(stream);
    if (this.#draining && options.standing) stream.end("ended");
    return stream.readable;
  }

  /** Ends the streams that wait for nothing, and from now on each new one; the others finish. */
  endStanding(): void {
    this.#draining = true;
    for (const stream of this.#open) if (stream.options.standing) stream.end("ended");
  }

  close(): void {
    for (const stream of this.#open) stream.end("ended");
    this.#watch.close();
  }
}

class EventStream implements Watched {
  readonly readable: ReadableStream<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #bytes = 0;
  #lastMs = performance.now();
  #ticks = 0;
  #sawId = false;
  readonly #tail = new EventTail();
  #ended = false;

  constructor(
    body: ReadableStream<Uint8Array>,
    readonly options: StreamOptions,
    private readonly commentEveryMs: number,
    private readonly forget: () => void,
  ) {
    this.#reader = body.getReader();
    this.readable = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#pull(),
      cancel: (reason) => {
        this.#finish("client_gone");
        return this.#reader.cancel(reason).catch(() => {});
      },
    }, { highWaterMark: 0 });
  }

  look(): void {
    if (this.#ended) return;
    this.#ticks++;
    if (this.options.over !== undefined && this.#ticks % 5 === 0) this.#askWhetherOver(this.options.over);
    if (this.commentEveryMs === 0 || !this.#tail.betweenEvents) return;
    const silentMs = performance.now() - this.#lastMs;
    // Some edges hold the headers back until the first byte of the body, so that a silent start is broken early.
    if (this.#bytes === 0 ? silentMs >= tickMs : silentMs >= this.commentEveryMs) {
      this.#send(this.#bytes === 0 ? opening : keepAlive);
    }
  }

  /** Ends the client's stream and lets go of the upstream's. */
  end(how: "ended"): void {
    if (this.#ended) return;
    this.#finish(how);
    this.#close();
    this.#reader.cancel().catch(() => {});
  }

  async #pull(): Promise<void> {
    try {
      const piece = await this.#reader.read();
      if (this.#ended) return;
      if (piece.done) {
        this.#finish("done");
        this.#close();
      } else {
        if (!this.#sawId && this.#bytes < idSearchBytes) this.#sawId = hasEventId(piece.value);
        this.#send(piece.value);
      }
    } catch {
      if (!this.#ended) this.#upstreamDied();
    }
  }

  #upstreamDied(): void {
    const tail = this.#tail;
    const event = this.#sawId || tail.hasId || tail.answered ? undefined : this.options.failureEvent?.();
    this.#finish("upstream_died");
    if (event === undefined) {
      this.#controller?.error(new Error("the upstream broke off"));
    } else {
      this.#controller?.enqueue(encoder.encode(tail.ending + event));
      this.#close();
    }
  }

  async #askWhetherOver(over: () => boolean | Promise<boolean>): Promise<void> {
    try {
      if (await over()) this.end("ended");
    } catch {
      // A store that is away for a moment ends nobody's stream; it is asked again.
    }
  }

  #send(bytes: Uint8Array): void {
    // A comment for a client that does not read would only pile up.
    const isComment = bytes === opening || bytes === keepAlive;
    if (isComment && (this.#controller?.desiredSize ?? 0) < 0) return;
    try {
      this.#controller?.enqueue(bytes);
    } catch {
      return;
    }
    this.#bytes += bytes.byteLength;
    this.#lastMs = performance.now();
    if (!isComment) this.#tail.push(bytes);
  }

  #finish(how: "done" | "client_gone" | "ended" | "upstream_died"): void {
    if (this.#ended) return;
    this.#ended = true;
    this.forget();
    this.options.onEnd(this.#bytes, how);
  }

  #close(): void {
    try {
      this.#controller?.close();
    } catch {
      // The client was quicker.
    }
  }
}
