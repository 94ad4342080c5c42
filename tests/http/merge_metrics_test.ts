import assert from "node:assert/strict";
import { mergeMetrics } from "../../lib/http/merge_metrics.ts";

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
