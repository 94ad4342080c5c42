/**
 * Carries messages between the host (lines on stdin and stdout) and the upstream, and answers in its place when it
 * cannot.
 *
 *     line -> scan -> not JSON, no message, too long : an error
 *                  -> cancellation of a modern call  : its stream is ended
 *                  -> anything else                  : upstream.send(), many at a time
 *     upstream message -> answer? its request is settled -> one line
 *     request without an answer -> an error with its own id
 */
import { Crowd, type Member } from "../base/crowd.ts";
import { describeError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Incoming } from "./answer.ts";
import { joinBytes } from "../base/join_bytes.ts";
import type { MessageDump } from "./dump.ts";
import { idKey, type Outgoing, requestsOf, type Waiting, WaitingRequests } from "./exchange.ts";
import { type Head, isRequest, isResponse } from "./head.ts";
import { overrideIdentity } from "./identity.ts";
import type { IdentityOverrides } from "./config.ts";
import type { Line } from "./lines.ts";
import { isModern } from "./modern.ts";
import { codes, errorMessage, Unanswered } from "./rpc_error.ts";
import type { LineWriter } from "./stdout.ts";
import type { Upstream, UpstreamHost } from "./upstream.ts";

/** What a pump works with. */
export interface PumpParts {
  readonly out: LineWriter;
  readonly url: URL;
  readonly identity: IdentityOverrides;
  readonly maxLineBytes: number;
  readonly dump: MessageDump;
  readonly log: Logger;
  /** Ends everything at exit. */
  readonly signal: AbortSignal;
}

/**
 * More requests than this at a time are refused. They are not left unread: among what the host writes next may be the
 * answer that one of them waits for.
 */
const maxWaiting = 2_000;

interface Sending extends Member {
  readonly abort: AbortController;
}

/** Carries messages until the host has no more. */
export class Pump implements UpstreamHost {
  readonly #parts: PumpParts;
  readonly #waiting = new WaitingRequests();
  readonly #connect: (host: UpstreamHost) => Upstream;
  /** What is under way; ended together at exit. */
  readonly #sending = new Crowd<Sending>();
  /** What asks for no answer and is on its way. */
  readonly #notifying = new Set<Promise<void>>();
  #upstream: Upstream | undefined;

  constructor(parts: PumpParts, connect: (host: UpstreamHost) => Upstream) {
    this.#parts = parts;
    this.#connect = connect;
    parts.signal.addEventListener("abort", () => {
      for (const { abort } of this.#sending) abort.abort(parts.signal.reason);
    }, { once: true });
  }

  /** The upstream that messages go to. */
  get upstream(): Upstream {
    return this.#upstream ??= this.#connect(this);
  }

  /** Takes the host's lines until they end. */
  async run(lines: AsyncIterable<Line>): Promise<void> {
    for await (const line of lines) this.#take(line);
  }

  /** Resolves when the upstream has taken everything, answered every request, and the host has read the answers. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#notifying);
    await this.#waiting.settled();
    await this.#parts.out.flushed();
  }

  async receive(incoming: Incoming, own: readonly Waiting[]): Promise<void> {
    const { log, out, dump } = this.#parts;
    let parts = incoming.parts;
    if (incoming.batch) {
      for (const head of incoming.heads) {
        const waiting = this.#waiting.match(head, own);
        if (waiting !== undefined) this.#waiting.settle(waiting);
      }
    } else {
      const head = incoming.heads[0] as Head;
      if (isResponse(head)) {
        const waiting = this.#waiting.match(head, own);
        if (waiting === undefined) return log.debug("answer_dropped", { reason: "nobody waits for it" });
        this.#waiting.settle(waiting);
        parts = withId(parts, head, waiting);
        parts = this.#changed(waiting, parts, head);
      }
    }
    dump.write("to_host", parts);
    await out.write(parts, incoming.hasLineBreaks);
  }

  /** The answer after the rules for it; one that they cannot read passes as it is. */
  #changed(waiting: Waiting, parts: readonly Uint8Array[], head: Head): readonly Uint8Array[] {
    try {
      return waiting.onAnswer?.(parts, head) ?? parts;
    } catch (error) {
      this.#parts.log.warn("answer_unchanged", {
        rpcMethod: waiting.head.method ?? "",
        cause: describeError(error),
      });
      return parts;
    }
  }

  #take(line: Line): void {
    const { heads, batch, valid } = line.scan;
    const refuse = (code: number, message: string, hint?: string) => {
      const ids = heads.flatMap((head) => head.id ?? []);
      for (const id of ids.length > 0 ? ids : ["null"]) {
        this.#answer(id, new Unanswered(code, message, { hint }));
      }
    };
    if (line.tooLong) {
      const { maxLineBytes } = this.#parts;
      return refuse(
        codes.tooLong,
        `The message is longer than ${maxLineBytes} bytes`,
        "Raise the limit on lines",
      );
    }
    this.#parts.dump.write("from_host", [line.bytes]);
    if (!valid) {
      return this.#answer("null", new Unanswered(codes.notJson, "The line is not JSON"));
    }
    if (heads.length === 0) {
      return this.#answer("null", new Unanswered(codes.notAMessage, "The line is not a JSON-RPC message"));
    }
    if (!batch && heads[0]?.method === undefined && !isResponse(heads[0] ?? {})) {
      return refuse(codes.notAMessage, "The message has neither a method nor a result");
    }
    if (!batch && this.#isCancelled(heads[0])) return;
    if (this.#waiting.count >= maxWaiting && heads.some(isRequest)) {
      return refuse(codes.overloaded, `More than ${maxWaiting} requests are waiting`, "Try again later");
    }
    this.#send({ bytes: line.bytes, batch, heads });
  }

  /** Revision 2026-07-28: a call is cancelled by ending its stream, and the upstream hears nothing else of it. */
  #isCancelled(head: Head | undefined): boolean {
    if (head?.method !== "notifications/cancelled" || head.requestId === undefined) return false;
    const waiting = this.#waiting.find(head.requestId);
    if (waiting === undefined) return isModern(head);
    waiting.cancelled = true;
    if (!isModern(waiting.head)) return false;
    this.#waiting.settle(waiting);
    waiting.abort.abort();
    return true;
  }

  #send(message: Outgoing): void {
    const { log, signal } = this.#parts;
    const abort = new AbortController();
    const own = requestsOf(message).map((head) => {
      const waiting = this.#waiting.add(head, abort);
      waiting.onAnswer = overrideIdentity(head.method, this.#parts.identity);
      return waiting;
    });
    const sending: Sending = { abort };
    this.#sending.enter(sending);
    const over = () => {
      this.#sending.leave(sending);
      this.#notifying.delete(sent);
    };
    const sent: Promise<void> = this.upstream.send(message, own, abort.signal).then(
      () => {
        over();
        if (own.some((waiting) => !waiting.answered)) this.#giveUp(own, noAnswer());
      },
      (error) => {
        over();
        if (abort.signal.aborted) return;
        const failure = error instanceof Unanswered
          ? error
          : new Unanswered(codes.badAnswer, String(error), { cause: error });
        const rpcMethod = message.heads[0]?.method ?? "";
        log.warn("message_failed", { rpcMethod, code: `${failure.code}`, cause: failure.message });
        this.#giveUp(own, failure);
      },
    );
    if (own.length === 0) this.#notifying.add(sent);
    if (signal.aborted) abort.abort(signal.reason);
  }

  #giveUp(own: readonly Waiting[], failure: Unanswered): void {
    for (const waiting of own) {
      if (this.#waiting.settle(waiting) && !waiting.cancelled) this.#answer(waiting.id, failure);
    }
  }

  #answer(id: string, failure: Unanswered): void {
    const parts = [errorMessage(id, failure, this.#parts.url)];
    this.#parts.dump.write("to_host", parts);
    this.#parts.out.write(parts, false);
  }
}

function noAnswer(): Unanswered {
  return new Unanswered(codes.streamBroken, "The upstream ended the connection without an answer", {
    hint: "The request may have been carried out; look before sending it again",
  });
}

/** An answer with another id, or none, as for a request that was refused unread, gets the id of its request. */
function withId(parts: readonly Uint8Array[], head: Head, waiting: Waiting): readonly Uint8Array[] {
  if (head.id === waiting.id || head.id !== undefined && idKey(head.id) === waiting.key) return parts;
  const { id: _, jsonrpc: __, ...rest } = parseExactly(new TextDecoder().decode(joinBytes(parts)));
  const text = JSON.stringify(rest);
  return [new TextEncoder().encode(`{"jsonrpc":"2.0","id":${waiting.id},${text.slice(1)}`)];
}

/** `JSON.parse` that keeps the text of numbers for `JSON.stringify` (ECMAScript 2026, JSON.parse source text access). */
function parseExactly(text: string): Record<string, unknown> {
  const { parse, rawJSON } = JSON as unknown as {
    parse: (
      text: string,
      revive: (key: string, value: unknown, context: { source?: string }) => unknown,
    ) => never;
    rawJSON: (text: string) => unknown;
  };
  return parse(
    text,
    (_, value, { source }) => typeof value === "number" && source !== undefined ? rawJSON(source) : value,
  );
}
