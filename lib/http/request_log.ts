/** One log line and one count per request, whatever became of it. */
import type { Counters, Series } from "../base/counters.ts";
import type { Fields, Logger } from "../base/log.ts";
import type { Exchange } from "./exchange.ts";
import { plain } from "./peek.ts";
import type { ToolMetrics } from "./tool_metrics.ts";

/** How requests are logged and counted. */
export interface RequestLogOptions {
  readonly log: Logger;
  readonly counters: Counters;
  /** Paths whose line is left out; they are counted all the same. */
  readonly skip?: RegExp;
  /** Subjects and e-mail addresses become hashes. */
  readonly subjectText: (subject: string) => string;
  readonly hashSubjects: boolean;
  /** Counts calls by tool; absent: off. */
  readonly tools?: ToolMetrics;
}

/** Writes the line when an exchange is over. */
export class RequestLog {
  /** Requests whose answer is complete. */
  finished = 0;
  readonly #counts = new Map<string, { readonly count: Series; readonly seconds: Series }>();

  constructor(private readonly options: RequestLogOptions) {}

  done(exchange: Exchange, status: number): void {
    const { log, skip, subjectText, hashSubjects, tools } = this.options;
    const durationMs = performance.now() - exchange.startedMs;
    this.finished++;
    const { count, seconds } = this.#series(exchange.route, status);
    count.value++;
    seconds.value += durationMs / 1000;
    tools?.done(exchange, status);
    if (!log.enabled("info") || skip?.test(exchange.target.path) === true) return;
    const { caller, peek } = exchange;
    const fields: Fields = {
      method: exchange.method,
      path: exchange.target.path,
      status,
      durationMs: Math.round(durationMs * 100) / 100,
      requestBytes: exchange.requestBytes,
      responseBytes: exchange.responseBytes,
      requestId: exchange.id,
      route: exchange.route,
      address: exchange.address,
    };
    if (caller !== undefined) {
      fields.subject = subjectText(caller.subject);
      fields.client = caller.clientId;
      if (caller.email !== undefined && !hashSubjects) fields.email = caller.email;
    }
    if (peek !== undefined) {
      if (peek.method !== undefined) fields.rpcMethod = peek.method;
      if (peek.id !== undefined) fields.rpcId = plain(peek.id, 64);
      if (peek.tools.length > 0) fields.rpcTool = peek.tools.join(",");
    }
    if (exchange.reason !== undefined) fields.reason = exchange.reason;
    if (log.frequent === undefined) log.info("request", fields);
    else log.frequent("request", fields);
  }

  #series(route: string, status: number) {
    const key = `${route} ${status}`;
    let found = this.#counts.get(key);
    if (found === undefined) {
      const { counters } = this.options;
      const labels = { route, status: String(status) };
      found = {
        count: counters.series("mcp_doorman_requests_total", labels),
        seconds: counters.series("mcp_doorman_request_seconds_total", labels),
      };
      this.#counts.set(key, found);
    }
    return found;
  }
}
