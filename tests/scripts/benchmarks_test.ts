import assert from "node:assert/strict";
import { withSection } from "../../scripts/bench_report/section.ts";

Deno.test("a part of the benchmark writes its own section and leaves the others as they are", () => {
  const one = withSection("# Benchmarks\n", "http", "first");
  const both = withSection(one, "stdio", "second");
  const again = withSection(both, "http", "third");

  assert.equal(again, both.replace("first", "third"));
  assert.match(again, /^# Benchmarks\n\n<!-- http: begin -->\n\nthird\n\n<!-- http: end -->\n\n<!-- stdio/);
});

Deno.test("a section without an end is not written over", () => {
  assert.throws(() => withSection("<!-- http: begin -->\n", "http", "new"), /no end/);
});
