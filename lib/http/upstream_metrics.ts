/** What the upstream costs, for operators: how long until its answers begin, and with which status. */
import type { Counters, Series } from "../base/counters.ts";
import type { Distribution } from "../base/distribution.ts";

/** Counts answers of the upstream. */
export class UpstreamMetrics {
  readonly #times: Distribution;
  readonly #statuses = new Map<number, Series>();

  constructor(private readonly counters: Counters) {
    this.#times = counters.times("mcp_doorman_upstream_seconds");
  }

  /** An answer began that was asked for at `startedMs` (`performance.now()`). */
  answered(status: number, startedMs: number): void {
    this.#times.observe((performance.now() - startedMs) / 1_000);
    let series = this.#statuses.get(status);
    if (series === undefined) {
      series = this.counters.series("mcp_doorman_upstream_answers_total", { status: String(status) });
      this.#statuses.set(status, series);
    }
    series.value++;
  }
}
