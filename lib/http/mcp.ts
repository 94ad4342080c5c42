/**
 * The MCP mount: what is behind the door. No framework stands between the socket and this file.
 *
 *     origin -> address rate -> bearer -> method, headers -> subject rate, calls at once -> session -> body
 *       -> headers (cleaned, credential, identity) -> upstream -> 401? renew once -> answer, streaming
 */
import type { Caller } from "../oauth/caller.ts";
import { OAuthError } from "../oauth/errors.ts";
import type { Outbound } from "../outbound/outbound.ts";
import {
  discard,
  type HeaderList,
  type Upstream,
  UpstreamError,
  type UpstreamResponse,
} from "../upstream/upstream.ts";
import { type Answering } from "./answer.ts";
import { type Body, type BodyReader, BodyRefused } from "./body.ts";
import type { Exchange } from "./exchange.ts";
import { rpcCodes, rpcError, unavailable } from "./failure.ts";
import type { Guard } from "./guard.ts";
import { identityHeaders } from "./identity_headers.ts";
import { allowedMethods } from "./origin.ts";
import { PassingPeek } from "./passing_peek.ts";
import { peek } from "./peek.ts";
import type { Reply } from "./reply.ts";
import type { Concurrency, RateLimit } from "./rate_limit.ts";
import type { Sessions } from "./sessions.ts";
import type { ToolGate } from "./tool_rules/gate.ts";
import type { UpstreamMetrics } from "./upstream_metrics.ts";

/** What the mount is made of. */
export interface McpParts {
  readonly guard: Guard;
  readonly sessions: Sessions;
  readonly outbound: Outbound;
  readonly upstream: Upstream;
  readonly bodies: BodyReader;
  readonly answering: Answering;
  readonly concurrency: Concurrency;
  readonly perAddress: RateLimit | undefined;
  readonly perSubject: RateLimit | undefined;
  readonly identityHeaders: boolean;
  /** Whether a client may keep a GET stream open. */
  readonly standingStreams: boolean;
  /** Bodies up to this size are looked into for the log and the metrics; 0: none. */
  readonly peekMaxBytes: number;
  /** The answers of `initialize` and `server/discover` are needed, whatever the log wants. */
  readonly peekAlways: boolean;
  /** Which tools who may use; `undefined`: all. */
  readonly tools: ToolGate | undefined;
  readonly upstreamMetrics: UpstreamMetrics;
}

const methods = new Set(allowedMethods.split(", "));

/** Answers a request on the mount; `suffix` is the path below it with the query. Throws what `failure.ts` knows. */
export function mcpHandler(
  parts: McpParts,
): (exchange: Exchange, suffix: string) => Promise<Reply | Response> {
  return async (exchange, suffix) => {
    const pass = parts.perAddress?.take(exchange.address);
    const limited = pass instanceof Promise ? await pass : pass;
    if (limited !== undefined) return tooMany(exchange, limited.retryAfterSec);

    const known = parts.guard.caller(exchange.headers.authorization);
    const caller = known instanceof Promise ? await known : known;
    exchange.caller = caller;
    if (!methods.has(exchange.method)) {
      return new Response(null, { status: 405, headers: { allow: allowedMethods } });
    }
    if (exchange.method === "GET" && !parts.standingStreams && asksForEvents(exchange)) {
      // What a server without such a stream says (MCP transports, listening for messages).
      return new Response(null, { status: 405, headers: { allow: allowedMethods.replace("GET, ", "") } });
    }
    if (exchange.headers.repeated) return repeatedHeader(exchange);
    const turn = parts.perSubject?.take(caller.subject);
    const busy = turn instanceof Promise ? await turn : turn;
    if (busy !== undefined) return tooMany(exchange, busy.retryAfterSec);

    const presented = exchange.headers.sessionId;
    let sessionId: string | undefined;
    if (presented !== null) {
      const opened = parts.sessions.open(presented, caller);
      sessionId = opened instanceof Promise ? await opened : opened;
      if (sessionId === undefined) return unknownSession(exchange);
    }

    const body: RequestBody = { value: null, refused: undefined };
    const read = parts.bodies.read(exchange.request, exchange.headers, {
      onRefused: (error) => body.refused = error,
      onPiece: (piece) => (exchange.passing ??= new PassingPeek()).push(piece),
    });
    body.value = read instanceof Promise ? await read : read;
    noteBody(parts, exchange, body.value);
    const denied = parts.tools === undefined
      ? undefined
      : await judgeTools(parts.tools, exchange, caller, body);
    if (denied !== undefined) return denied;
    const isCall = exchange.method === "POST" && exchange.peek?.method !== "subscriptions/listen";
    if (isCall && !parts.concurrency.take(caller.subject)) {
      exchange.reason = "subject_concurrency_exceeded";
      throw new OAuthError("temporarily_unavailable", "Too many calls at once; try again", {
        status: 503,
        reason: "subject_concurrency_exceeded",
        retryAfterSec: 1,
      });
    }
    let held = isCall;
    const release = () => {
      if (held) parts.concurrency.give(caller.subject);
      held = false;
    };
    try {
      const headers = exchange.headers.goOn;
      if (sessionId !== undefined) headers.push(["mcp-session-id", sessionId]);
      if (parts.identityHeaders) headers.push(...identityHeaders(caller));
      const response = await forward(parts, { exchange, suffix, caller, headers, body: body.value });
      if (body.refused !== undefined) throw body.refused;
      const session = presented !== null && sessionId !== undefined
        ? { presented, id: sessionId }
        : undefined;
      const filter = parts.tools?.filter(caller, {
        httpMethod: exchange.method,
        rpcMethod: exchange.peek?.method,
      });
      return await parts.answering.answer(response, { exchange, caller, session, release, filter });
    } catch (error) {
      release();
      throw body.refused ?? error;
    }
  };
}

interface RequestBody {
  value: Body;
  /** A streamed body broke a limit on its way. */
  refused: BodyRefused | undefined;
}

function noteBody(parts: McpParts, exchange: Exchange, body: Body): void {
  if (body === null) exchange.requestBytes = 0;
  else if (body instanceof Uint8Array) {
    exchange.requestBytes = body.byteLength;
    if (parts.peekAlways || body.byteLength <= parts.peekMaxBytes) exchange.peek = peek(body);
    else exchange.body = body;
  } else {
    const declared = exchange.headers.contentLength;
    if (declared !== null) exchange.requestBytes = Number(declared);
  }
}

/** The refusal of a call that the caller may not make. To be judged, a body is read to its end. */
async function judgeTools(
  tools: ToolGate,
  exchange: Exchange,
  caller: Caller,
  body: RequestBody,
): Promise<Response | undefined> {
  if (exchange.method !== "POST") return undefined;
  if (body.value instanceof ReadableStream) {
    const bytes = await new Response(body.value).bytes().catch((error: unknown) => {
      throw body.refused ?? error;
    });
    body.value = bytes;
    exchange.peek = peek(bytes);
  }
  const refusal = tools.judge(body.value ?? new Uint8Array(), caller, {
    method: headerIn(exchange.headers.goOn, "mcp-method"),
    name: headerIn(exchange.headers.goOn, "mcp-name"),
  });
  if (refusal !== undefined) exchange.reason = refusal.reason;
  return refusal?.response;
}

/** The header's value; several make one that nothing agrees with. */
function headerIn(headers: HeaderList, name: string): string | null {
  const values = headers.filter(([other]) => other.toLowerCase() === name).map(([, value]) => value);
  return values.length === 0 ? null : values.join(", ");
}

interface Forwarding {
  readonly exchange: Exchange;
  readonly suffix: string;
  readonly caller: Caller;
  readonly headers: HeaderList;
  readonly body: Body;
}

/** Sends with the credential; once more with a new one where the old was refused. */
async function forward(parts: McpParts, forwarding: Forwarding): Promise<UpstreamResponse> {
  const { exchange, caller, suffix, headers, body } = forwarding;
  for (let attempt = 0;; attempt++) {
    const credential = parts.outbound.headers(caller);
    const added = credential instanceof Promise ? await credential : credential;
    const startedMs = performance.now();
    const response = await parts.upstream.forward({
      method: exchange.method,
      suffix,
      headers: added.length === 0 ? headers : [...headers, ...added],
      body,
      bodyLength: exchange.requestBytes < 0 ? undefined : exchange.requestBytes,
      clientGone: () => exchange.request.signal,
    });
    exchange.upstreamStatus = response.status;
    parts.upstreamMetrics.answered(response.status, startedMs);
    if (response.status !== 401) return response;
    await discard(response);
    const renewed = await parts.outbound.rejected(caller);
    if (renewed && attempt === 0 && !(body instanceof ReadableStream)) continue;
    exchange.reason = "upstream_refused_credential";
    if (parts.outbound.userOwned) {
      throw new OAuthError("invalid_token", "The server behind refused the login; log in again", {
        status: 401,
        reason: "upstream_refused_credential",
      });
    }
    throw new UpstreamError("refused", "the upstream refused the proxy's credential");
  }
}

function tooMany(exchange: Exchange, retryAfterSec: number): never {
  exchange.reason = "rate_limited";
  throw new OAuthError("temporarily_unavailable", "rate limit exceeded", {
    status: 429,
    reason: "rate_limited",
    retryAfterSec,
  });
}

function asksForEvents({ request }: Exchange): boolean {
  return /text\/event-stream/i.test(request.headers.get("accept") ?? "");
}

/** What a server says about a session that it does not know (MCP transports, session management). */
function unknownSession(exchange: Exchange): Response {
  exchange.reason = "session_unknown";
  return rpcError(404, -32_600, "Session not found");
}

/** Of two methods or versions the upstream might believe the one and we the other. */
function repeatedHeader(exchange: Exchange): Response {
  exchange.reason = "header_repeated";
  return rpcError(400, -32_600, "A header must not be repeated");
}

/** The answer to a body that broke a limit. */
export function bodyRefusedResponse(error: BodyRefused, exchange: Exchange): Response {
  exchange.reason = `body_${error.why}`;
  if (error.why === "too_large") {
    return rpcError(413, rpcCodes.tooLarge, "The request is too large", { close: true });
  }
  if (error.why === "bad_length") {
    return rpcError(400, -32_600, "The length of the request is not clear", { close: true });
  }
  if (error.why === "malformed") {
    return rpcError(400, -32_600, "The body of the request is malformed", { close: true });
  }
  if (error.why === "too_slow") {
    return rpcError(408, rpcCodes.tooSlow, "The request came too slowly", { close: true });
  }
  throw unavailable("body_cut");
}
