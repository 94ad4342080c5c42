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
import { type ByteReader, ByteSource, type ByteStream, readerOf } from "../base/byte_stream.ts";
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
  readonly #open = new Watch<EventStream>(tickMs);
  #draining = false;

  /** `commentEveryMs` 0: no comments. */
  constructor(private readonly commentEveryMs: number) {}

  get size(): number {
    return this.#open.size;
  }

  /** The body for the client. */
  pass(body: ByteStream, options: StreamOptions): ByteSource {
    const stream = new EventStream(body, options, this.commentEveryMs, () => {
      this.#open.leave(stream);
    });
    this.#open.enter(stream);
    if (this.#draining && options.standing) stream.end("ended");
    return stream;
  }

  /** Ends the streams that wait for nothing, and from now on each new one; the others finish. */
  endStanding(): void {
    this.#draining = true;
    for (const stream of this.#open.inside) if (stream.options.standing) stream.end("ended");
  }

  close(): void {
    for (const stream of this.#open.inside) stream.end("ended");
    this.#open.close();
  }
}

class EventStream extends ByteSource implements Watched {
  at?: number;
  sinceMs?: number;
  readonly #from: ByteReader;
  /** Who waits for the next bytes: one at a time. */
  #wanted: PromiseWithResolvers<Uint8Array | undefined> | undefined;
  /** The upstream is being read; what comes is for whoever waits then. */
  #reading = false;
  /** What came while nobody waited, since a comment had taken the turn. */
  #held: Uint8Array | undefined;
  #failure: Error | undefined;
  #bytes = 0;
  #lastMs = performance.now();
  #ticks = 0;
  #sawId = false;
  readonly #tail = new EventTail();
  #ended = false;

  constructor(
    body: ByteStream,
    readonly options: StreamOptions,
    private readonly commentEveryMs: number,
    private readonly forget: () => void,
  ) {
    super();
    this.#from = readerOf(body);
  }

  read(): Promise<Uint8Array | undefined> {
    const held = this.#held;
    if (held !== undefined) {
      this.#held = undefined;
      return Promise.resolve(held);
    }
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#ended) return Promise.resolve(undefined);
    this.#wanted = Promise.withResolvers();
    if (!this.#reading) this.#pull();
    return this.#wanted.promise;
  }

  cancel(reason?: unknown): Promise<void> {
    this.#finish("client_gone");
    this.#give(undefined);
    return this.#from.cancel(reason).catch(() => {});
  }

  look(): void {
    if (this.#ended) return;
    this.#ticks++;
    if (this.options.over !== undefined && this.#ticks % 5 === 0) this.#askWhetherOver(this.options.over);
    if (this.commentEveryMs === 0 || !this.#tail.betweenEvents) return;
    const silentMs = performance.now() - this.#lastMs;
    // Some edges hold the headers back until the first byte of the body, so that a silent start is broken early.
    if (this.#bytes === 0 ? silentMs >= tickMs : silentMs >= this.commentEveryMs) {
      this.#comment(this.#bytes === 0 ? opening : keepAlive);
    }
  }

  /** Ends the client's stream and lets go of the upstream's. */
  end(how: "ended"): void {
    if (this.#ended) return;
    this.#finish(how);
    this.#give(undefined);
    this.#from.cancel().catch(() => {});
  }

  async #pull(): Promise<void> {
    this.#reading = true;
    try {
      const piece = await this.#from.read();
      this.#reading = false;
      if (this.#ended) return;
      if (piece === undefined) this.#finish("done");
      else {
        if (!this.#sawId && this.#bytes < idSearchBytes) this.#sawId = hasEventId(piece);
        this.#count(piece);
        this.#tail.push(piece);
      }
      this.#give(piece);
    } catch {
      this.#reading = false;
      if (!this.#ended) this.#upstreamDied();
    }
  }

  #upstreamDied(): void {
    const tail = this.#tail;
    const event = this.#sawId || tail.hasId || tail.answered ? undefined : this.options.failureEvent?.();
    this.#finish("upstream_died");
    if (event !== undefined) return this.#give(encoder.encode(tail.ending + event));
    this.#failure = new Error("the upstream broke off");
    this.#wanted?.reject(this.#failure);
    this.#wanted = undefined;
  }

  async #askWhetherOver(over: () => boolean | Promise<boolean>): Promise<void> {
    try {
      if (await over()) this.end("ended");
    } catch {
      // A store that is away for a moment ends nobody's stream; it is asked again.
    }
  }

  /** For a client that waits; for one that does not read it would only pile up. */
  #comment(bytes: Uint8Array): void {
    if (this.#wanted === undefined) return;
    this.#count(bytes);
    this.#give(bytes);
  }

  #count(bytes: Uint8Array): void {
    this.#bytes += bytes.byteLength;
    this.#lastMs = performance.now();
  }

  #give(bytes: Uint8Array | undefined): void {
    const wanted = this.#wanted;
    this.#wanted = undefined;
    if (wanted !== undefined) wanted.resolve(bytes);
    else if (bytes !== undefined) this.#held = bytes;
  }

  #finish(how: "done" | "client_gone" | "ended" | "upstream_died"): void {
    if (this.#ended) return;
    this.#ended = true;
    this.forget();
    this.options.onEnd(this.#bytes, how);
  }
}
