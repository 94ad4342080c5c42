/** The metrics endpoint: what was counted, rendered by prom-client, which is loaded at the first scrape. */
import type { Counters } from "../base/counters.ts";
import type { Distribution } from "../base/distribution.ts";
import { metricTable } from "./metric_table.ts";

/** A value that is read when it is asked for. */
export interface Gauge {
  readonly name: string;
  /** For what is not in the table. */
  readonly help?: string;
  read(): number;
}

/** The text that a scraper gets, and its content type. */
export async function renderMetrics(
  counters: Counters,
  gauges: readonly Gauge[],
): Promise<{ readonly text: string; readonly contentType: string }> {
  // The default: a CommonJS package in a split bundle has no names of its own.
  const { default: prom } = await import("prom-client");
  const registry = new prom.Registry();
  const made = new Map<string, InstanceType<typeof prom.Counter>>();
  for (const { name, labels, value } of counters.entries()) {
    let counter = made.get(name);
    if (counter === undefined) {
      counter = new prom.Counter({
        name,
        help: helpOf(name),
        labelNames: Object.keys(labels),
        registers: [registry],
      });
      made.set(name, counter);
    }
    counter.inc({ ...labels }, value);
  }
  const distributions = Map.groupBy(counters.allTimes(), ({ name }) => name);
  for (const [name, all] of distributions) {
    // Observations are not kept, only their counts, so the library is shown a metric that has been counted already.
    const counted = {
      name,
      get: () => ({ name, help: helpOf(name), type: "histogram", values: all.flatMap(valuesOf) }),
    };
    registry.registerMetric(counted as unknown as InstanceType<typeof prom.Histogram>);
  }
  for (const { name, help, read } of gauges) {
    new prom.Gauge({ name, help: help ?? helpOf(name), registers: [registry] }).set(read());
  }
  return { text: await registry.metrics(), contentType: registry.contentType };
}

function helpOf(name: string): string {
  return metricTable[name]?.help ?? name;
}

/** A histogram's lines: how many took at most so long, all together, and how many there were. */
function valuesOf({ name, labels, boundsSec, counts, sumSec }: Distribution) {
  let count = 0;
  const buckets = counts.map((more, at) => {
    count += more;
    return { metricName: `${name}_bucket`, labels: { ...labels, le: boundsSec[at] ?? "+Inf" }, value: count };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels: { ...labels }, value: sumSec },
    { metricName: `${name}_count`, labels: { ...labels }, value: count },
  ];
}
