import assert from "node:assert/strict";
import { countersOf, mergeMetrics } from "../../lib/http/merge_metrics.ts";

Deno.test("mergeMetrics() adds up the same series and keeps the others", () => {
  const one =
    '# HELP a_total What\n# TYPE a_total counter\na_total{x="1"} 2\na_total{x="2"} 1\n\n# TYPE g gauge\ng 5\n';
  const two =
    '# HELP a_total What\n# TYPE a_total counter\na_total{x="1"} 3\n# TYPE b_total counter\nb_total 1.5\n';

  assert.equal(
    mergeMetrics([one, two]),
    '# HELP a_total What\n# TYPE a_total counter\na_total{x="1"} 5\na_total{x="2"} 1\n# TYPE g gauge\ng 5\n' +
      "# TYPE b_total counter\nb_total 1.5\n",
  );
  assert.equal(mergeMetrics([]), "\n");
});

Deno.test("mergeMetrics() keeps a histogram whole, and the worst and the first where a sum means nothing", () => {
  const text = (up: number, started: number) =>
    "# HELP t_seconds Time\n# TYPE t_seconds histogram\n" +
    't_seconds_bucket{le="1"} 1\nt_seconds_bucket{le="+Inf"} 2\nt_seconds_sum 3.5\nt_seconds_count 2\n' +
    `mcp_doorman_store_up ${up}\nprocess_start_time_seconds ${started}\n`;

  assert.equal(
    mergeMetrics([text(1, 100), text(0, 90)]),
    "# HELP t_seconds Time\n# TYPE t_seconds histogram\n" +
      't_seconds_bucket{le="1"} 2\nt_seconds_bucket{le="+Inf"} 4\nt_seconds_sum 7\nt_seconds_count 4\n' +
      "mcp_doorman_store_up 0\nprocess_start_time_seconds 90\n",
  );
});

Deno.test("countersOf() keeps what an ended process has counted, and nothing that it only was", () => {
  const text = "# HELP a_total What\n# TYPE a_total counter\na_total 2\n# HELP g Now\n# TYPE g gauge\ng 5\n" +
    "# TYPE t_seconds histogram\nt_seconds_count 2\n";

  assert.equal(
    mergeMetrics(["a_total 1\ng 4\nt_seconds_count 1\n", countersOf(text)]),
    "# HELP a_total What\n# TYPE a_total counter\na_total 3\ng 4\n# TYPE t_seconds histogram\nt_seconds_count 3\n",
  );
});
