import assert from "node:assert/strict";
import { checkLines, compare, isSame } from "../../scripts/conformance/compare.ts";
import { type Check, type ServerRun, serverSuites } from "../../scripts/conformance/server_suite.ts";
import { serverTable } from "../../scripts/conformance/server_table.ts";

const [suite] = serverSuites;
assert.ok(suite);

function run(checks: Record<string, [id: string, status: string][]>): ServerRun {
  const scenarios = new Map(
    Object.entries(checks).map(([name, list]) => [
      name,
      list.map(([id, status]): Check => ({ id, status, message: `${id} is ${status}` })),
    ]),
  );
  return { scenarios, unscored: new Set(["extra"]), output: "" };
}

const direct = run({
  ping: [["ping", "SUCCESS"], ["ping", "SUCCESS"]],
  extra: [["task", "FAILURE"]],
});

Deno.test("two runs that found the same have no difference, failures included", () => {
  const { rows } = compare(suite, direct, direct);
  assert.deepEqual(rows.map(({ id, scored }) => [id, scored]), [["ping", true], ["ping", true], [
    "task",
    false,
  ]]);
  assert.ok(rows.every(isSame));
});

Deno.test("a check that came out otherwise, was not made, or was made in addition is a difference", () => {
  const proxied = run({
    ping: [["ping", "SUCCESS"], ["ping", "FAILURE"], ["pong", "SUCCESS"]],
  });
  const comparison = compare(suite, direct, proxied);
  assert.deepEqual(comparison.rows.filter((row) => !isSame(row)).map(({ id }) => id), [
    "ping",
    "pong",
    "task",
  ]);
  assert.match(checkLines(comparison).join("\n"), /! failure {3}not made {2}extra: task/);
  const page = serverTable([comparison]);
  assert.match(page, /2 of 3 checks passed directly, 2 of 3 through mcp-doorman; 3 of 4 results differ/);
  assert.match(page, /\| ping \| yes \| 2 of 2 \| 2 of 3 \| no \|/);
});
