/**
 * `deno task conformance [client|server|scenario…]`: runs the MCP conformance suite and writes what came out into
 * docs/conformance.md: its client scenarios against stdio mode, and its server scenarios with and without http mode
 * in between (scripts/conformance/server.ts). A word runs one of the two; names run these client scenarios only.
 *
 *     suite's server <- HTTP -> mcp-doorman <- stdio -> the SDK's client (tests/conformance/host.ts)
 */
import { isSame } from "./conformance/compare.ts";
import { writePart } from "./conformance/page.ts";
import { compareServers } from "./conformance/server.ts";
import { serverTable } from "./conformance/server_table.ts";
import { conformanceTable } from "./conformance/table.ts";
import { type Outcome, runScenario, scenariosOf, suites } from "./conformance/suite.ts";

const words = Deno.args.filter((arg) => !arg.startsWith("-"));
const only = words[0] === "client" || words[0] === "server" ? words[0] : undefined;
const wanted = new Set(only === undefined ? words : words.slice(1));
let clean = true;
if (only !== "server") clean = await clients();
if (only === "server" || wanted.size === 0 && only === undefined) clean = await servers() && clean;
Deno.exit(clean ? 0 : 1);

async function clients(): Promise<boolean> {
  const outcomes: Outcome[] = [];
  for (const suite of suites) {
    for (const scenario of await scenariosOf(suite)) {
      if (wanted.size > 0 && !wanted.has(scenario.name)) continue;
      const outcome = await runScenario(suite, scenario);
      outcomes.push(outcome);
      const result = outcome.passed ? "passed" : scenario.scored ? "FAILED" : "not passed";
      console.log(`${result}  ${suite.title}  ${scenario.name}`);
      if (!outcome.passed) console.log(outcome.output.split("\n").slice(-40).join("\n"));
    }
  }
  const failed = outcomes.filter(({ passed, scenario, reason }) =>
    !passed && scenario.scored && reason === undefined
  );
  if (wanted.size === 0) await writePart("clients", conformanceTable(outcomes));
  console.log(`${outcomes.length - failed.length} passed or explained, ${failed.length} failed`);
  return failed.length === 0;
}

/** Whether http mode changes nothing. */
async function servers(): Promise<boolean> {
  const comparisons = await compareServers(console.log);
  await writePart("servers", serverTable(comparisons));
  const rows = comparisons.flatMap((comparison) => comparison.rows);
  const different = rows.filter((row) => !isSame(row));
  console.log(`${rows.length - different.length} checks came out the same, ${different.length} differently`);
  return different.length === 0;
}
