/**
 * The public surface, deny by default: exact paths of our own, the MCP mount, and nothing else.
 *
 *     target readable? -> host, preflight -> the mount -> mcp.ts
 *                                        |-> an exact path of ours -> its endpoint's rate -> hono
 *                                        `-> 404
 */
import type { Hono } from "hono";
import { describeError } from "../base/errors.ts";
import { inRequest, type RequestContext } from "../base/request_context.ts";
import type { Counters } from "../base/counters.ts";
import type { Logger } from "../base/log.ts";
import type { Inbound } from "../inbound/inbound.ts";
import { OAuthError } from "../oauth/errors.ts";
import type { Sifted } from "../upstream/headers.ts";
import { UpstreamError } from "../upstream/upstream.ts";
import { type BodyReader, BodyRefused } from "./body.ts";
import { Exchange, peekLate } from "./exchange.ts";
import { failureResponse, jsonFailure, rpcCodes, rpcError } from "./failure.ts";
import { NoCredentials } from "./guard.ts";
import { asRequest, type HeaderReader, type Incoming } from "./incoming.ts";
import type { Landing } from "./landing/page.ts";
import { prefersHtml } from "./landing/prefers_html.ts";
import { bodyRefusedResponse } from "./mcp.ts";
import { corsHeaders, type OriginRules, preflight } from "./origin.ts";
import type { RateLimit } from "./rate_limit.ts";
import { Reply, replyOf } from "./reply.ts";
import type { RequestLog } from "./request_log.ts";
import { withSecurityHeaders } from "./security_headers.ts";
import { belowMount, isPlainPath, namesNoHost, readTarget, withoutTokens } from "./target.ts";

/** An endpoint's name in log and metrics, and how often an address may ask it. */
export interface EndpointRate {
  readonly name: string;
  readonly limit?: RateLimit;
}

/** What the surface is made of. */
export interface AppParts {
  readonly mountPath: string;
  readonly inbound: Inbound;
  readonly sieve: (headers: HeaderReader) => Sifted;
  /** The inbound's endpoints, mounted. */
  readonly endpoints: Hono;
  readonly origins: OriginRules;
  readonly bodies: BodyReader;
  readonly mcp: (exchange: Exchange, suffix: string) => Promise<Reply | Response>;
  /** What an endpoint is called and its rate, by its path. */
  readonly endpointRates: ReadonlyMap<string, EndpointRate>;
  readonly address: (peer: string, headers: HeaderReader) => string;
  readonly requestLog: RequestLog;
  readonly counters: Counters;
  readonly log: Logger;
  /** A fixed path that takes the place of every request's own below the mount; `undefined`: the request's own. */
  readonly fixedSuffix?: string;
  /** What a browser is told that opens the mount; absent: what a program is told. */
  readonly landing?: Landing;
}

/**
 * Names and values of a request's headers together; twice what the longest bearer has. The runtime takes some more and
 * answers 400 (Deno 2.9) or 431 (2.6) beyond that by itself.
 */
export const maxHeaderBytes = 32_768;

/** What the framework behind the endpoints can be asked; anything else is no method of theirs. */
const endpointMethods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** Answers one request. */
export type Handler = (request: Incoming, peer: string) => Promise<Reply>;

/** The public listener's side of the surface. */
export interface App {
  /** Never throws. */
  readonly handler: Handler;
  /** Requests whose answer is not complete. */
  readonly inFlight: () => number;
}

/** The surface, put together. */
export function appOf(parts: AppParts): App {
  const own = new Set(parts.endpoints.routes.map((route) => route.path));
  const idPrefix = crypto.randomUUID().slice(0, 8);
  let count = 0;

  const route = (exchange: Exchange): Response | Promise<Reply | Response> => {
    const { request, target } = exchange;
    const { path } = target;
    if (path === parts.mountPath) return onMount(exchange, "");
    if (path === "/healthz") return health(exchange);
    if (own.has(path)) return endpoint(exchange);
    const below = belowMount(path, parts.mountPath);
    // Clients look for documents below the mount and at the root; what is not there is simply not there.
    if (below === undefined || below.startsWith("/.well-known/")) {
      return request.method === "OPTIONS" ? preflight(request, parts.origins) : notFound(exchange);
    }
    return onMount(exchange, below);
  };

  const onMount = (exchange: Exchange, below: string): Response | Promise<Reply | Response> => {
    exchange.route = "mcp";
    const { request, target } = exchange;
    const { origin } = exchange.headers;
    if (exchange.method === "OPTIONS") return preflight(request, parts.origins);
    if (origin !== null && !parts.origins.allowed(origin)) return forbidden(exchange, "origin_refused");
    const suffix = (parts.fixedSuffix ?? below) + withoutTokens(target.query);
    return parts.mcp(exchange, suffix);
  };

  const endpoint = async (exchange: Exchange): Promise<Response> => {
    const { request, target, address } = exchange;
    const rate = parts.endpointRates.get(target.path);
    exchange.route = rate?.name ?? target.path;
    // The endpoints for programs are open to every page and say so themselves; those that a person sees are to none.
    if (request.method === "OPTIONS") return await parts.endpoints.fetch(asRequest(request, null));
    const { origin } = exchange.headers;
    // What counts is a cookie that comes along unasked. A page without a referrer posts its own form as `null`; that
    // form is bound to the browser otherwise.
    if (
      origin !== null && origin !== "null" && request.headers.has("cookie") && !parts.origins.allowed(origin)
    ) {
      return forbidden(exchange, "origin_refused");
    }
    const limited = await rate?.limit?.take(address);
    if (limited !== undefined) {
      parts.counters.add("mcp_auth_rate_limited_total", { endpoint: rate?.name ?? "" });
      throw new OAuthError("temporarily_unavailable", "rate limit exceeded", {
        status: 429,
        reason: "rate_limited",
        ...limited,
      });
    }
    const context: RequestContext = { requestId: exchange.id };
    if (!endpointMethods.has(request.method)) return jsonFailure(405, "method_not_allowed");
    let refused: BodyRefused | undefined;
    try {
      // The runtime allows these no body; nobody reads one there.
      const body = request.method === "GET" || request.method === "HEAD"
        ? null
        : await parts.bodies.read(request, exchange.headers, { onRefused: (error) => refused = error });
      const response = await inRequest(context, () => parts.endpoints.fetch(asRequest(request, body)));
      if (context.reason !== undefined) exchange.reason = context.reason;
      return refused === undefined ? response : bodyRefusedAtEndpoint(refused, exchange);
    } catch (error) {
      throw refused ?? error;
    }
  };

  const handler: Handler = async (request, peer) => {
    const headers = parts.sieve(request.headers);
    const target = readTarget(request.url, headers.host);
    const exchange = new Exchange(
      request,
      request.method,
      headers,
      target ?? { path: "/", query: "", authority: "" },
      parts.address(peer, request.headers),
      `${idPrefix}-${++count}`,
    );
    let response: Reply | Response;
    try {
      if (target === undefined || !isReadable(target.path, parts.mountPath)) {
        exchange.reason = "bad_target";
        response = jsonFailure(400, "invalid_request", "The request target or host cannot be read");
      } else if (namesNoHost(request.url, headers.host) && target.path !== "/healthz") {
        // Load balancers probe with HTTP/1.0, which has no Host header; what they ask for says nothing.
        exchange.reason = "bad_target";
        response = jsonFailure(400, "invalid_request", "The request names no host");
      } else if (headers.size > maxHeaderBytes) {
        exchange.reason = "headers_too_large";
        response = rpcError(431, rpcCodes.tooLarge, "The request's headers are too large", { close: true });
      } else if (!parts.origins.hostAllowed(target.authority)) response = forbidden(exchange, "host_refused");
      else response = await route(exchange);
    } catch (error) {
      response = await forPerson(failed(parts, exchange, error), exchange, parts);
    }
    const reply = response instanceof Response ? await dressed(response, exchange) : response;
    const { origin } = headers;
    // Only answers about the mount: the endpoints set what they need, and the pages among them must have none.
    if (exchange.route === "mcp" && origin !== null && parts.origins.allowed(origin)) {
      for (const [name, value] of corsHeaders(origin)) {
        const at = reply.headers.findIndex((header) =>
          header[0] === name && (name !== "vary" || header[1] === value)
        );
        if (at < 0) reply.headers.push([name, value]);
        else reply.headers[at] = [name, value];
      }
    }
    const nowMs = performance.now();
    parts.requestLog.began(exchange, nowMs);
    if (!exchange.streaming) parts.requestLog.done(exchange, reply.status, nowMs);
    return reply;
  };
  return { handler, inFlight: () => count - parts.requestLog.finished };
}

/** An answer of our own with all that each of them carries. */
async function dressed(response: Response, exchange: Exchange): Promise<Reply> {
  const { status, headers } = replyOf(response);
  const bytes = response.body === null ? null : await response.bytes();
  exchange.responseBytes = bytes?.byteLength ?? 0;
  const reply = withSecurityHeaders(new Reply(status, headers, bytes));
  reply.headers.push(["x-request-id", exchange.id]);
  return reply;
}

function isReadable(path: string, mountPath: string): boolean {
  return path === mountPath || isPlainPath(path);
}

/** A person who opens the connector's address gets a page about it; anybody else the answer as it is. */
async function forPerson(
  response: Response,
  exchange: Exchange,
  { landing, mountPath }: AppParts,
): Promise<Response> {
  const opened = response.status === 401 && exchange.method === "GET" && exchange.target.path === mountPath;
  if (landing === undefined || !opened || !prefersHtml(exchange.request.headers.get("accept"))) {
    return response;
  }
  const { landingPage } = await import("./landing/page.ts");
  return await landingPage(landing, response.headers.get("www-authenticate"));
}

function health(exchange: Exchange): Response {
  exchange.route = "healthz";
  const { method } = exchange.request;
  if (method !== "GET" && method !== "HEAD") {
    return new Response(null, { status: 405, headers: { allow: "GET, HEAD" } });
  }
  return new Response(method === "HEAD" ? null : '{"status":"ok"}', {
    headers: { "content-type": "application/json", "cache-control": "no-store" },
  });
}

function notFound(exchange: Exchange): Response {
  exchange.reason = "no_such_path";
  return jsonFailure(404, "not_found");
}

function forbidden(exchange: Exchange, reason: "origin_refused" | "host_refused"): Response {
  exchange.reason = reason;
  return jsonFailure(403, "forbidden", reason === "host_refused" ? "Host not allowed" : "Origin not allowed");
}

/** The same for an endpoint, where errors have OAuth's form. */
function bodyRefusedAtEndpoint({ why }: BodyRefused, exchange: Exchange): Response {
  exchange.reason = `body_${why}`;
  const status = why === "too_large" ? 413 : why === "too_slow" ? 408 : 400;
  const response = jsonFailure(status, "invalid_request", "The request body cannot be read");
  response.headers.set("connection", "close");
  return response;
}

function failed(parts: AppParts, exchange: Exchange, error: unknown): Response {
  if (error instanceof BodyRefused) {
    try {
      return exchange.route === "mcp"
        ? bodyRefusedResponse(error, exchange)
        : bodyRefusedAtEndpoint(error, exchange);
    } catch (unavailable) {
      return failureResponse(unavailable);
    }
  }
  if (error instanceof OAuthError) {
    exchange.reason ??= error.reason;
    if (error.reason === "subject_concurrency_exceeded") {
      parts.counters.add("mcp_auth_access_denied_total", { reason: error.reason });
    } else if (error.reason === "rate_limited" && exchange.route === "mcp") {
      parts.counters.add("mcp_auth_rate_limited_total", { endpoint: "mcp" });
    }
  } else if (error instanceof UpstreamError) {
    exchange.reason = `upstream_${error.failure}`;
    parts.counters.add("mcp_doorman_upstream_failures_total", { kind: error.failure });
    if (error.failure !== "client_gone") {
      parts.log.warn("upstream_failed", {
        requestId: exchange.id,
        kind: error.failure,
        cause: error.message,
      });
    }
  } else {
    exchange.reason = "internal";
    parts.log.error("request_failed", { requestId: exchange.id, cause: describeError(error) });
  }
  const id = peekLate(exchange)?.id;
  return failureResponse(error, {
    challenge: (refusal) => parts.inbound.challenge(refusal instanceof NoCredentials ? undefined : refusal),
    ...(id === undefined ? {} : { id }),
  });
}
