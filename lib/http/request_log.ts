/** One log line and one count per request, whatever became of it. */
import type { Counters, Series } from "../base/counters.ts";
import type { Distribution } from "../base/distribution.ts";
import type { Fields, Logger } from "../base/log.ts";
import { headerOf } from "../upstream/upstream.ts";
import type { Exchange } from "./exchange.ts";
import { plain } from "./peek.ts";
import type { ToolMetrics } from "./tool_metrics.ts";

/** How requests are logged and counted. */
export interface RequestLogOptions {
  readonly log: Logger;
  readonly counters: Counters;
  /** Paths whose line is left out; they are counted all the same. */
  readonly skip?: RegExp;
  /** Counts calls by tool; absent: off. */
  readonly tools?: ToolMetrics;
}

/** Writes the line when an exchange is over. */
export class RequestLog {
  /** Requests whose answer is complete. */
  finished = 0;
  readonly #counts = new Map<string, Series>();
  readonly #times = new Map<string, Distribution>();

  constructor(private readonly options: RequestLogOptions) {}

  /** The answer begins; of a stream everything but the headers is still to come. */
  began({ route, startedMs }: Exchange, nowMs: number): void {
    let times = this.#times.get(route);
    if (times === undefined) {
      times = this.options.counters.times("mcp_doorman_request_seconds", { route });
      this.#times.set(route, times);
    }
    times.observe((nowMs - startedMs) / 1_000);
  }

  /** The answer is over. */
  done(exchange: Exchange, status: number, nowMs: number = performance.now()): void {
    const { log, skip, tools } = this.options;
    const durationMs = nowMs - exchange.startedMs;
    this.finished++;
    this.#count(exchange.route, status).value++;
    tools?.done(exchange, status);
    if (!log.enabled("info") || skip?.test(exchange.target.path) === true) return;
    const { caller, peek } = exchange;
    const fields: Fields = {
      method: exchange.method,
      path: exchange.target.path,
      status,
      durationMs: Math.round(durationMs * 100) / 100,
      requestBytes: requestBytesOf(exchange),
      responseBytes: exchange.responseBytes,
      requestId: exchange.id,
      route: exchange.route,
      address: exchange.address,
    };
    if (caller !== undefined) {
      fields.subject = caller.subject;
      fields.client = caller.clientId;
      if (caller.email !== undefined) fields.email = caller.email;
    }
    if (peek !== undefined) {
      if (peek.method !== undefined) fields.rpcMethod = peek.method;
      if (peek.id !== undefined) fields.rpcId = plain(peek.id, 64);
      if (peek.tools.length > 0) fields.rpcTool = peek.tools.join(",");
    }
    if (exchange.upstreamStatus !== undefined) fields.upstreamStatus = exchange.upstreamStatus;
    const trace = traceOf(exchange);
    if (trace !== undefined) fields.trace = trace;
    if (exchange.reason !== undefined) fields.reason = exchange.reason;
    // What an edge or a rule of ours may have judged by; of a call that went well nobody wants to know.
    if (exchange.route !== "mcp" || status >= 400) {
      const userAgent = headerOf(exchange.headers.goOn, "user-agent");
      if (userAgent !== undefined) fields.userAgent = userAgent;
      if (exchange.headers.origin !== null) fields.origin = exchange.headers.origin;
    }
    if (log.frequent === undefined) log.info("request", fields);
    else log.frequent("request", fields);
  }

  #count(route: string, status: number): Series {
    const key = `${route} ${status}`;
    let found = this.#counts.get(key);
    if (found === undefined) {
      found = this.options.counters.series("mcp_doorman_requests_total", { route, status: String(status) });
      this.#counts.set(key, found);
    }
    return found;
  }
}

/** The trace that the client names (W3C Trace Context, `traceparent`); the upstream gets the header as it is. */
function traceOf({ headers }: Exchange): string | undefined {
  const parent = headerOf(headers.goOn, "traceparent");
  return parent === undefined ? undefined : /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(parent)?.[1];
}

/** As far as it was read, else as it was declared; -1 when nobody knows. */
function requestBytesOf({ requestBytes, headers, method }: Exchange): number {
  if (requestBytes >= 0) return requestBytes;
  if (headers.contentLength !== null) return Number(headers.contentLength);
  return method === "GET" || method === "HEAD" ? 0 : -1;
}
