/**
 * One client's connection, one request after the other:
 *
 *     head -> handler -> answer, whole or as a stream -> the rest of the body, where it is short -> next head
 *      |-> no head of ours: an answer of a few bytes, and the end
 *      `-> nothing for too long, or the other side leaves: the end
 *     while the handler takes its time, or a stream runs: does the client leave? -> the request's signal
 *     the last answer: our side closed, what still comes thrown away for a moment, so that a reset takes nothing away
 */
import { Malformed } from "../../base/http1/fields.ts";
import type { Member } from "../../base/crowd.ts";
import { isStream } from "../../base/byte_stream.ts";
import { writeMessage } from "../../base/http1/message.ts";
import { Wire } from "../../base/http1/wire.ts";
import type { Incoming } from "../incoming.ts";
import type { ConnectionLimits } from "../listening.ts";
import { Reply } from "../reply.ts";
import { type Outflow, writeStream } from "./answer.ts";
import { HeadReader } from "./head_reader.ts";
import { Http1Request } from "./request.ts";
import { BadHead, type RequestHead } from "./request_head.ts";
import { type AnswerHead, answerHead } from "./response_head.ts";

/** What connections have in common. */
export interface ConnectionParts {
  /** Never throws. */
  readonly handler: (request: Incoming, peer: string) => Promise<Reply>;
  /** Something came that is no request. */
  readonly onBadHead: (error: BadHead, peer: string) => void;
  /** An answer could not be written as it was, so that it became 500. */
  readonly onBadAnswer: (cause: string) => void;
  readonly draining: () => boolean;
  readonly limits: ConnectionLimits;
}

/** What is left of a body after its answer is thrown away up to this size; for more, the connection ends. */
const maxDiscardBytes = 65_536;

/** A client that sends ahead is read up to this size. */
const maxAheadBytes = 16_384;

type Phase = "idle" | "head" | "answering" | "rest" | "linger";

/** A connection that is open. */
export class ServerConnection implements Member {
  at?: number;
  #phase: Phase = "head";
  #sinceMs = performance.now();
  readonly #wire: Wire;
  readonly #heads: HeadReader;
  #request: Http1Request | undefined;
  /** The word to go on, while it is written. */
  #interim: Promise<void> | undefined;
  #outflow: Outflow | undefined;
  #watching = false;
  readonly #closed = Promise.withResolvers<void>();
  /** `Wire.writes` at the last look, and since when. */
  #writes = 0;
  #writesSinceMs = 0;

  constructor(conn: Deno.Conn, private readonly peer: string, private readonly parts: ConnectionParts) {
    this.#wire = new Wire(conn);
    this.#heads = new HeadReader(this.#wire);
  }

  /** Serves until the connection ends; never throws. */
  async run(): Promise<void> {
    try {
      while (await this.#exchange());
    } catch {
      // The client's end of the connection broke, which is its own business.
    } finally {
      this.close();
    }
  }

  close(): void {
    this.#left();
    this.#wire.close();
    this.#closed.resolve();
  }

  /** Resolves when it is over; before Deno 2.9 a write that the client does not take goes on after that. */
  get over(): Promise<void> {
    return this.#closed.promise;
  }

  /** Ends what waits for too long; `nowMs` of `performance.now()`. */
  look(nowMs: number): void {
    if (nowMs - this.#sinceMs >= this.#limitMs()) this.#giveUp();
    const { writes } = this.#wire;
    if (writes !== this.#writes || writes % 2 === 0) [this.#writes, this.#writesSinceMs] = [writes, nowMs];
    else if (nowMs - this.#writesSinceMs >= this.parts.limits.idleMs) this.close();
  }

  /**
   * Once nothing more is accepted, what has been idle for a while ends at once. Whoever was answered a moment ago may
   * have sent its next request by now, which is still answered.
   */
  #limitMs(): number {
    const { headMs, idleMs, lingerMs } = this.parts.limits;
    const draining = this.parts.draining();
    switch (this.#phase) {
      case "answering":
        return Infinity;
      case "linger":
        return lingerMs;
      case "idle":
        return draining ? lingerMs / 4 : idleMs;
      default:
        return draining ? lingerMs : headMs;
    }
  }

  /** Whoever began a request is told that it came too slowly; who has said nothing would take it for an answer. */
  #giveUp(): void {
    const isHalf = this.#phase === "head" && this.#wire.start < this.#wire.end;
    // At a drain it is for others to serve, which nobody tries again after an answer.
    if (!isHalf || this.parts.draining()) return this.close();
    this.#enter("linger");
    this.#refuse(new BadHead(408, "a head that comes too slowly")).then(() => this.#wire.endWriting())
      .catch(() => this.close());
  }

  async #refuse(error: BadHead): Promise<void> {
    this.parts.onBadHead(error, this.peer);
    await writeMessage(this.#wire, badHeadText(error.status), null);
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
      head = this.#heads.next();
      while (head === undefined) {
        if (!await wire.fill()) return false;
        if (this.#phase === "linger") return await this.#linger();
        head = this.#heads.next();
        if (this.#phase === "idle" && wire.start !== wire.end) this.#enter("head");
      }
    } catch (error) {
      if (!(error instanceof BadHead)) throw error;
      await this.#refuse(error);
      return await this.#linger();
    }
    this.#enter("answering");
    wire.pinned = true;
    const request = this.#request = new Http1Request(head, wire, {
      beforeBody: () => this.#continue(request),
      watch: () => this.#watch(),
    });
    const reply = await this.parts.handler(request, this.peer);
    const keep = await this.#answer(request, reply);
    this.#request = undefined;
    wire.pinned = false;
    const goesOn = keep && (request.bodyDone || await this.#discard(request));
    request.over = true;
    if (!goesOn) return await this.#linger();
    this.#heads.skipLineEnds();
    wire.slim();
    this.#enter(wire.start === wire.end ? "idle" : "head");
    return true;
  }

  async #answer(request: Http1Request, reply: Reply): Promise<boolean> {
    const wire = this.#wire;
    const { body } = reply;
    const streams = isStream(body);
    let pouring = false;
    request.answerBegun = true;
    try {
      // After it, so that the two cannot mix.
      if (this.#interim !== undefined) await this.#interim;
      const head = this.#answerHead(request, reply);
      if (head === undefined) return await this.#answer(request, new Reply(500, [], null));
      if (head.framing === "none" || !streams) {
        await writeMessage(wire, head.text, head.framing === "none" || streams ? null : body);
        return !head.close;
      }
      wire.quiet();
      pouring = true;
      this.#outflow = writeStream(wire, head, body);
      this.#watch();
      await this.#outflow.done;
      this.#outflow = undefined;
      return !head.close;
    } finally {
      if (streams && !pouring) body.cancel().catch(() => {});
    }
  }

  /** `undefined` where it cannot be written as it is. */
  #answerHead(request: Http1Request, reply: Reply): AnswerHead | undefined {
    const { head, bodyDone, bodyUntouched } = request;
    const isShort = bodyUntouched && !head.expectsContinue && restOf(head) <= maxDiscardBytes;
    const close = this.parts.draining() || !(bodyDone || isShort);
    try {
      return answerHead(head, reply, close);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.parts.onBadAnswer(error.message);
      return undefined;
    }
  }

  /** An interim answer for whoever asked for one (RFC 9110 section 10.1.1), unless the final one has begun. */
  #continue(request: Http1Request): void {
    if (!request.head.expectsContinue || request.bodyDone || request.answerBegun) return;
    this.#interim = this.#wire.write(continueBytes);
    this.#interim.catch(() => {});
  }

  /** Reads ahead, so as to notice when the client leaves. A client that only closes its own side counts as gone. */
  async #watch(): Promise<void> {
    if (this.#watching || !this.#wantsWatch()) return;
    this.#watching = true;
    const wire = this.#wire;
    wire.slim();
    // What ends one wait may be the next request, which then may want to be watched as well.
    while (this.#wantsWatch()) {
      if (await wire.fill().catch(() => false)) continue;
      if (this.#outflow === undefined) this.#left();
      // A write that waits for it would wait on.
      else this.close();
      break;
    }
    this.#watching = false;
  }

  #wantsWatch(): boolean {
    const [request, wire] = [this.#request, this.#wire];
    return request !== undefined && request.bodyDone && wire.end - wire.start < maxAheadBytes &&
      (request.wantsToKnow || this.#outflow !== undefined);
  }

  #left(): void {
    this.#request?.leave();
    if (this.#outflow === undefined) return;
    this.#outflow.cancel(new Error("the client left"));
  }

  async #discard(request: Http1Request): Promise<boolean> {
    this.#enter("rest");
    const { body } = request;
    if (body !== null && !body.locked) { for await (const _ of body); }
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
