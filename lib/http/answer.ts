/**
 * The upstream's answer on its way to the client: cleaned headers, the session id bound, small bodies at once, streams
 * as streams.
 */
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
    if (body instanceof ReadableStream && !rewritten && context.filter === undefined) {
      if (told.contentLength !== null) headers.push(["content-length", told.contentLength]);
      return new Reply(status, headers, this.#counted(body, status, context));
    }
    let bytes = body instanceof ReadableStream ? await this.#whole(body, context) : body;
    if (bytes === body) context.release();
    if (rewritten && status === 200) bytes = this.parts.identity?.json(bytes) ?? bytes;
    bytes = context.filter?.json(bytes) ?? bytes;
    exchange.responseBytes = bytes.byteLength;
    return new Reply(status, headers, bytes);
  }

  async #whole(
    body: ReadableStream<Uint8Array>,
    context: AnswerContext,
  ): Promise<Uint8Array<ArrayBuffer>> {
    try {
      return await new Response(body).bytes();
    } catch (error) {
      throw new UpstreamError("broken", "the answer broke off", error);
    } finally {
      context.release();
    }
  }

  /** Any other body passes untouched; only its end is noticed. */
  #counted(
    body: ReadableStream<Uint8Array>,
    status: number,
    context: AnswerContext,
  ): ReadableStream<Uint8Array> {
    const { exchange } = context;
    exchange.streaming = true;
    const reader = body.getReader();
    let bytes = 0;
    let ended = false;
    // A client that leaves ends the read that is under way, too.
    const end = (reason?: string) => {
      if (ended) return;
      ended = true;
      exchange.responseBytes = bytes;
      if (reason !== undefined) exchange.reason ??= reason;
      context.release();
      this.parts.requestLog.done(exchange, status);
    };
    return new ReadableStream<Uint8Array>({
      async pull(controller) {
        try {
          const piece = await reader.read();
          if (piece.done) {
            controller.close();
            end();
          } else {
            bytes += piece.value.byteLength;
            controller.enqueue(piece.value);
          }
        } catch (error) {
          controller.error(error);
          end("upstream_died");
        }
      },
      cancel(reason) {
        end("client_gone");
        return reader.cancel(reason);
      },
    }, { highWaterMark: 0 });
  }

  #events(
    body: ReadableStream<Uint8Array>,
    status: number,
    context: AnswerContext,
  ): ReadableStream<Uint8Array> {
    const { exchange, caller } = context;
    exchange.streaming = true;
    const source = this.parts.identity?.wants(exchange.peek) === true
      ? this.parts.identity.events(body)
      : context.filter?.events(body) ?? body;
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

function asStream(body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  return body instanceof ReadableStream ? body : ReadableStream.from([body]);
}

function failureEvent(id: string | undefined): string | undefined {
  if (id === undefined) return undefined;
  const [, sentence] = upstreamSentence("broken");
  return `event: message\ndata: {"jsonrpc":"2.0","id":${id},"error":{"code":${rpcCodes.upstream},"message":${
    JSON.stringify(sentence)
  }}}\n\n`;
}
