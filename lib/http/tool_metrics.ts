/** Counts of `tools/call` by tool, for whoever switched them on: tool names become labels, so that there is a cap. */
import type { Counters } from "../base/counters.ts";
import type { Exchange } from "./exchange.ts";

/** How many tools are told apart. */
export interface ToolMetricsOptions {
  readonly counters: Counters;
  /** Further tools count as `_overflow`; 0: no cap. */
  readonly maxTools: number;
}

/** Counts the calls of finished exchanges. */
export class ToolMetrics {
  readonly #tools = new Set<string>();

  constructor(private readonly options: ToolMetricsOptions) {}

  done({ peek, requestBytes, responseBytes }: Exchange, status: number): void {
    if (peek === undefined || peek.calls === 0) return;
    const { counters } = this.options;
    const failed = status >= 400;
    const names = peek.batch || peek.tools.length <= 1 ? [...peek.tools] : peek.tools.slice(0, 1);
    while (names.length < peek.calls) names.push("_unknown");
    for (const name of names) {
      const tool = this.#label(name);
      counters.add("mcp_auth_rpc_calls_total", { tool });
      if (failed) counters.add("mcp_auth_rpc_calls_failed_total", { tool });
      if (peek.batch) continue;
      if (requestBytes > 0) counters.add("mcp_auth_rpc_request_bytes_total", { tool }, requestBytes);
      if (responseBytes > 0) counters.add("mcp_auth_rpc_response_bytes_total", { tool }, responseBytes);
    }
    if (!peek.batch) return;
    counters.add("mcp_auth_rpc_batches_total");
    if (failed) counters.add("mcp_auth_rpc_batches_failed_total");
    if (requestBytes > 0) {
      counters.add("mcp_auth_rpc_batch_bytes_total", { direction: "request" }, requestBytes);
    }
    if (responseBytes > 0) {
      counters.add("mcp_auth_rpc_batch_bytes_total", { direction: "response" }, responseBytes);
    }
  }

  #label(name: string): string {
    if (name === "" || name === "_unknown") return "_unknown";
    if (this.#tools.has(name)) return name;
    const { maxTools } = this.options;
    if (maxTools > 0 && this.#tools.size >= maxTools) return "_overflow";
    this.#tools.add(name);
    return name;
  }
}
