/** One log line and one count per request, whatever became of it. */
import type { Counters } from "../base/counters.ts";
import type { Logger } from "../base/log.ts";
import type { Exchange } from "./exchange.ts";

/** How requests are logged and counted. */
export interface RequestLogOptions {
  readonly log: Logger;
  readonly counters: Counters;
  /** Paths whose line is left out; they are counted all the same. */
  readonly skip?: RegExp;
  /** Subjects and e-mail addresses become hashes. */
  readonly subjectText: (subject: string) => string;
  readonly hashSubjects: boolean;
}

/** Writes the line when an exchange is over. */
export class RequestLog {
  constructor(private readonly options: RequestLogOptions) {}

  done(exchange: Exchange, status: number): void {
    const { log, counters, skip, subjectText, hashSubjects } = this.options;
    const durationMs = performance.now() - exchange.startedMs;
    counters.add("mcp_doorman_requests_total", {
      route: exchange.route,
      status: `${Math.floor(status / 100)}xx`,
    });
    counters.add("mcp_doorman_request_seconds_total", { route: exchange.route }, durationMs / 1000);
    if (!log.enabled("info") || skip?.test(exchange.target.path) === true) return;
    const { caller, peek } = exchange;
    log.info("request", {
      method: exchange.method,
      path: exchange.target.path,
      status,
      durationMs: Math.round(durationMs * 100) / 100,
      requestBytes: exchange.requestBytes,
      responseBytes: exchange.responseBytes,
      requestId: exchange.id,
      route: exchange.route,
      address: exchange.address,
      ...(caller === undefined ? {} : { subject: subjectText(caller.subject), client: caller.clientId }),
      ...(caller?.email === undefined || hashSubjects ? {} : { email: caller.email }),
      ...(peek?.method === undefined ? {} : { rpcMethod: peek.method }),
      ...(peek?.id === undefined ? {} : { rpcId: peek.id }),
      ...(peek === undefined || peek.tools.length === 0 ? {} : { rpcTool: peek.tools.join(",") }),
      ...(exchange.reason === undefined ? {} : { reason: exchange.reason }),
    });
  }
}
