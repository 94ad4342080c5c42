/**
 * The upstream's answer on its way to the client: cleaned headers, the session id bound, small bodies at once, streams
 * as streams.
 */
import {
  asReadable,
  type ByteReader,
  ByteSource,
  type ByteStream,
  collected,
  isStream,
  readerOf,
} from "../base/byte_stream.ts";
import type { Inbound } from "../inbound/inbound.ts";
import type { Caller } from "../oauth/caller.ts";
import { OAuthError } from "../oauth/errors.ts";
import { responseHeaders } from "../upstream/response_headers.ts";
import { discard, type HeaderList, UpstreamError, type UpstreamResponse } from "../upstream/upstream.ts";
import { type Exchange, isStanding, peekLate } from "./exchange.ts";
import { rpcCodes, upstreamSentence } from "./failure.ts";
import type { IdentityRewrite } from "./identity.ts";
import { Reply } from "./reply.ts";
import type { RequestLog } from "./request_log.ts";
import { securityHeaders } from "./security_headers.ts";
import type { Sessions } from "./sessions.ts";
import type { Streams } from "./streams.ts";
import type { ListFilter } from "./tool_rules/gate.ts";

/** What an answer is made with. */
export interface AnswerContext {
  readonly exchange: Exchange;
  readonly caller: Caller;
  readonly session: { readonly presented: string; readonly id: string } | undefined;
  /** Gives back the caller's place among the calls at once; called when the answer is complete. */
  readonly release: () => void;
  /** Takes out of lists of tools what the caller may not see. */
  readonly filter: ListFilter | undefined;
}

/** The parts that answers need. */
export interface AnsweringParts {
  readonly sessions: Sessions;
  readonly streams: Streams;
  readonly inbound: Inbound;
  readonly requestLog: RequestLog;
  readonly identity: IdentityRewrite | undefined;
  readonly now: () => number;
}

const ourHeaders: HeaderList = securityHeaders.map(([name, value]) => [name, value]);
/**
 * What no browser shows as a page needs to be kept from being taken for one, and no more. Each header costs a
 * microsecond or two, so that the other four would be a twentieth of a call.
 */
const forPrograms: HeaderList = [["x-content-type-options", "nosniff"]];
const neverKept: HeaderList[number] = ["cache-control", "no-store, no-transform"];
const forEvents: HeaderList = [
  ["cache-control", "no-cache, no-transform"],
  ["x-accel-buffering", "no"],
];

/** Turns upstream answers into ours. */
export class Answering {
  constructor(private readonly parts: AnsweringParts) {}

  async answer(upstream: UpstreamResponse, context: AnswerContext): Promise<Reply> {
    const { exchange } = context;
    const { status } = upstream;
    const told = responseHeaders(upstream.headers);
    if (status === 403 && told.challenge !== null) await this.#refusedByUpstream(upstream, told.challenge);
    const headers = told.goOn;
    headers.push(...(isForPrograms(told.contentType) ? forPrograms : ourHeaders));
    headers.push(["x-request-id", exchange.id]);
    if (told.sessionId !== null) {
      headers.push(["mcp-session-id", await this.#boundSession(told.sessionId, context)]);
    }
    const { body } = upstream;
    if (body === null || status === 204 || status === 304) {
      context.release();
      headers.push(neverKept);
      return new Reply(status, headers, null);
    }
    if (told.contentType !== null && /^text\/event-stream\b/i.test(told.contentType)) {
      headers.push(...forEvents);
      return new Reply(status, headers, this.#events(asStream(body), status, context));
    }
    headers.push(neverKept);
    const rewritten = this.parts.identity?.wants(exchange.peek) === true;
    if (isStream(body) && !rewritten && context.filter === undefined) {
      if (told.contentLength !== null) headers.push(["content-length", told.contentLength]);
      return new Reply(status, headers, this.#counted(body, status, context));
    }
    let bytes = isStream(body) ? await this.#whole(body, context) : body;
    if (bytes === body) context.release();
    if (rewritten && status === 200) bytes = this.parts.identity?.json(bytes) ?? bytes;
    bytes = context.filter?.json(bytes) ?? bytes;
    exchange.responseBytes = bytes.byteLength;
    return new Reply(status, headers, bytes);
  }

  async #whole(
    body: ByteStream,
    context: AnswerContext,
  ): Promise<Uint8Array<ArrayBuffer>> {
    try {
      return await collected(body);
    } catch (error) {
      throw new UpstreamError("broken", "the answer broke off", error);
    } finally {
      context.release();
    }
  }

  /** Any other body passes untouched; only its end is noticed. */
  #counted(body: ByteStream, status: number, context: AnswerContext): ByteSource {
    const { exchange } = context;
    exchange.streaming = true;
    return new CountedBody(readerOf(body), (bytes, reason) => {
      exchange.responseBytes = bytes;
      if (reason !== undefined) exchange.reason ??= reason;
      context.release();
      this.parts.requestLog.done(exchange, status);
    });
  }

  #events(
    body: ByteStream,
    status: number,
    context: AnswerContext,
  ): ByteSource {
    const { exchange, caller } = context;
    exchange.streaming = true;
    const source = this.parts.identity?.wants(exchange.peek) === true
      ? this.parts.identity.events(asReadable(body))
      : context.filter?.events(asReadable(body)) ?? body;
    const standing = isStanding(exchange);
    // It holds no place among the calls, whatever it was taken for before.
    if (standing) context.release();
    return this.parts.streams.pass(source, {
      standing,
      ...(standing ? { over: () => this.#over(caller) } : {}),
      failureEvent: () => failureEvent(peekLate(exchange)?.id),
      onEnd: (bytes, how) => {
        exchange.responseBytes = bytes;
        if (how !== "done") exchange.reason ??= how;
        context.release();
        this.parts.requestLog.done(exchange, status);
      },
    });
  }

  async #over(caller: Caller): Promise<boolean> {
    return this.parts.now() >= caller.expiresAtMs || await this.parts.inbound.revoked(caller);
  }

  async #boundSession(id: string, { session, caller }: AnswerContext): Promise<string> {
    return session?.id === id ? session.presented : await this.parts.sessions.bind(id, caller);
  }

  async #refusedByUpstream(upstream: UpstreamResponse, challenge: string): Promise<never> {
    await discard(upstream);
    if (/error="?insufficient_scope/.test(challenge)) {
      throw new OAuthError("insufficient_scope", "The server behind asks for more scopes", {
        status: 403,
        reason: "upstream_insufficient_scope",
      });
    }
    throw new UpstreamError("broken", "answered 403 with a challenge of its own");
  }
}

function isForPrograms(contentType: string | null): boolean {
  return contentType !== null && /^(?:application\/json|text\/event-stream)(?:;|$)/.test(contentType);
}

function asStream(body: Uint8Array<ArrayBuffer> | ByteStream): ByteStream {
  return isStream(body) ? body : ReadableStream.from([body]);
}

/** A body whose bytes are counted, and whose end is told once. */
class CountedBody extends ByteSource {
  #bytes = 0;
  #ended = false;

  constructor(
    private readonly from: ByteReader,
    private readonly onEnd: (bytes: number, reason?: string) => void,
  ) {
    super();
  }

  async read(): Promise<Uint8Array | undefined> {
    try {
      const piece = await this.from.read();
      if (piece === undefined) this.#end();
      else this.#bytes += piece.byteLength;
      return piece;
    } catch (error) {
      this.#end("upstream_died");
      throw error;
    }
  }

  cancel(reason?: unknown): Promise<void> {
    // A client that leaves ends the read that is under way, too.
    this.#end("client_gone");
    return this.from.cancel(reason);
  }

  #end(reason?: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.onEnd(this.#bytes, reason);
  }
}

function failureEvent(id: string | undefined): string | undefined {
  if (id === undefined) return undefined;
  const [, sentence] = upstreamSentence("broken");
  return `event: message\ndata: {"jsonrpc":"2.0","id":${id},"error":{"code":${rpcCodes.upstream},"message":${
    JSON.stringify(sentence)
  }}}\n\n`;
}
