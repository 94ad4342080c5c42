/** The table of docs/metrics.md, from the table of metrics. */
import { metricTable } from "../../lib/http/metric_table.ts";

/** One row for each family. */
export function metricRows(): string {
  const rows = Object.entries(metricTable).map(([name, { kind, labels, help }]) =>
    `| \`${name}\` | ${kind} | ${labels.map((label) => `\`${label}\``).join(", ")} | ${help} |`
  );
  return ["| Metric | Kind | Labels | Meaning |", "| --- | --- | --- | --- |", ...rows].join("\n");
}
