/**
 * One client's connection, one request after the other:
 *
 *     head -> handler -> answer, whole or as a stream -> the rest of the body, where it is short -> next head
 *      |-> no head of ours: an answer of a few bytes, and the end
 *      `-> nothing for too long, or the other side leaves: the end
 *     while the handler takes its time, or a stream runs: does the client leave? -> the request's signal
 *     an answer before all of a long body came: the answer, our side closed, what still comes thrown away for a moment
 */
import { headEnd, maxHeadBytes } from "../../base/http1/fields.ts";
import { Wire } from "../../base/http1/wire.ts";
import type { Incoming } from "../incoming.ts";
import { Reply } from "../reply.ts";
import { type Outflow, writeStream, writeWhole } from "./answer.ts";
import { Http1Request } from "./request.ts";
import { BadHead, parseRequestHead, type RequestHead } from "./request_head.ts";
import { answerHead } from "./response_head.ts";

/** What connections have in common. */
export interface ConnectionParts {
  /** Never throws. */
  readonly handler: (request: Incoming, peer: string) => Promise<Reply>;
  /** Something came that is no request. */
  readonly onBadHead: (error: BadHead, peer: string) => void;
  readonly draining: () => boolean;
  readonly limits: ConnectionLimits;
}

/** How long a connection may wait, in milliseconds. */
export interface ConnectionLimits {
  /** For all of a head, from its first byte or the connection's beginning. */
  readonly headMs: number;
  /** For the next request. */
  readonly idleMs: number;
}

/** What is left of a body after its answer is thrown away up to this size; for more, the connection ends. */
const maxDiscardBytes = 65_536;

/** How long what still comes is thrown away, so that the client gets to read the answer; milliseconds. */
const lingerMs = 1_000;

/** A client that sends ahead is read up to this size. */
const maxAheadBytes = 16_384;

type Phase = "idle" | "head" | "answering" | "rest" | "linger";

/** A connection that is open. */
export class ServerConnection {
  #phase: Phase = "head";
  #sinceMs = performance.now();
  readonly #wire: Wire;
  #request: Http1Request | undefined;
  #outflow: Outflow | undefined;
  #watching = false;

  constructor(conn: Deno.Conn, private readonly peer: string, private readonly parts: ConnectionParts) {
    this.#wire = new Wire(conn);
  }

  /** Serves until the connection ends; never throws. */
  async run(): Promise<void> {
    try {
      while (await this.#exchange());
    } catch {
      // The client's end of the connection broke, which is its own business.
    } finally {
      this.#left();
      this.#wire.close();
    }
  }

  /** Nothing more is accepted: an answer that is owed is still given, and what was answered can still be read. */
  drain(): void {
    if (this.#phase === "rest") this.#enter("linger");
    else if (this.#phase === "idle" || this.#phase === "head") this.close();
  }

  close(): void {
    this.#wire.close();
  }

  /** Ends what waits for too long; `nowMs` of `performance.now()`. */
  look(nowMs: number): void {
    const { headMs, idleMs } = this.parts.limits;
    const limitMs = { idle: idleMs, head: headMs, rest: headMs, linger: lingerMs, answering: Infinity };
    if (nowMs - this.#sinceMs >= limitMs[this.#phase]) this.close();
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#sinceMs = performance.now();
  }

  /** One request and its answer; false when it was the last one. */
  async #exchange(): Promise<boolean> {
    const wire = this.#wire;
    let head: RequestHead | undefined;
    try {
      head = this.#head();
      while (head === undefined) {
        if (!await wire.fill()) return false;
        if (this.#phase === "idle") this.#enter("head");
        head = this.#head();
      }
    } catch (error) {
      if (!(error instanceof BadHead)) throw error;
      this.parts.onBadHead(error, this.peer);
      await writeWhole(wire, badHeadText(error.status), null);
      return await this.#linger();
    }
    this.#enter("answering");
    wire.pinned = true;
    const request = this.#request = new Http1Request(head, wire, {
      beforeBody: () => this.#continue(request),
      watch: () => this.#watch(request),
    });
    const reply = await this.parts.handler(request, this.peer);
    const keep = await this.#answer(request, reply);
    this.#request = undefined;
    wire.pinned = false;
    if (!keep) return request.bodyDone ? false : await this.#linger();
    // Told to go on, the client may have sent the next request by now, which a reset would answer.
    if (this.parts.draining()) return await this.#linger();
    if (!request.bodyDone && !await this.#discard(request)) return false;
    this.#enter(wire.start === wire.end ? "idle" : "head");
    return true;
  }

  #head(): RequestHead | undefined {
    const wire = this.#wire;
    // A line end too many after a body is overlooked (RFC 9112 section 2.2).
    while (
      wire.end - wire.start >= 2 && wire.buffer[wire.start] === 0x0d && wire.buffer[wire.start + 1] === 0x0a
    ) {
      wire.start += 2;
    }
    const end = headEnd(wire.buffer, wire.start, wire.end);
    if ((end >= 0 ? end : wire.end) - wire.start > maxHeadBytes) {
      throw new BadHead(431, "a head that is too long");
    }
    if (end < 0) return undefined;
    const head = parseRequestHead(wire.buffer.subarray(wire.start, end));
    wire.start = end;
    return head;
  }

  async #answer(request: Http1Request, reply: Reply): Promise<boolean> {
    const { head } = request;
    const rest = request.bodyDone || (restOf(head) <= maxDiscardBytes && !head.expectsContinue);
    const answer = answerHead(head, reply, !rest || this.parts.draining());
    const { body } = reply;
    if (!(body instanceof ReadableStream)) {
      await writeWhole(this.#wire, answer.text, answer.framing === "none" ? null : body);
    } else if (answer.framing === "none") {
      await body.cancel();
      await writeWhole(this.#wire, answer.text, null);
    } else {
      this.#wire.quiet();
      this.#outflow = writeStream(this.#wire, answer, body);
      this.#watch(request);
      await this.#outflow.done;
      this.#outflow = undefined;
    }
    return !answer.close;
  }

  /** An interim answer for whoever asked for one (RFC 9110 section 10.1.1). */
  #continue({ head, bodyDone }: Http1Request): void {
    if (!head.expectsContinue || bodyDone) return;
    this.#wire.write(continueBytes).catch(() => {});
  }

  /** Reads ahead, so as to notice when the client leaves. A client that only closes its own side counts as gone. */
  async #watch(request: Http1Request): Promise<void> {
    if (this.#watching || !request.bodyDone) return;
    this.#watching = true;
    const wire = this.#wire;
    while (request === this.#request && wire.end - wire.start < maxAheadBytes) {
      if (await wire.fill().catch(() => false)) continue;
      if (request === this.#request) this.#left();
      break;
    }
    this.#watching = false;
  }

  #left(): void {
    this.#request?.leave();
    this.#outflow?.cancel(new Error("the client left"));
  }

  async #discard(request: Http1Request): Promise<boolean> {
    this.#enter("rest");
    const body = request.body;
    if (body !== null) { for await (const _ of body); }
    return request.bodyDone;
  }

  /** A reset would take the answer away from a client that still sends. */
  async #linger(): Promise<false> {
    this.#enter("linger");
    const wire = this.#wire;
    await wire.endWriting();
    do wire.start = wire.end; while (await wire.fill());
    return false;
  }
}

const continueBytes = new TextEncoder().encode("HTTP/1.1 100 Continue\r\n\r\n");

function restOf({ framing }: RequestHead): number {
  return typeof framing === "number" ? framing : Infinity;
}

function badHeadText(status: BadHead["status"]): string {
  const reply = new Reply(status, [["cache-control", "no-store"]], null);
  return answerHead({ method: "GET", keepAlive: false, isOld: false }, reply, true).text;
}
