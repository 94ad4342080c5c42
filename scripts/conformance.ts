/**
 * `deno task conformance [scenario…]`: runs the client scenarios of the MCP conformance suite against stdio mode and
 * writes what came out into docs/conformance.md.
 *
 *     suite's server <- HTTP -> mcp-doorman <- stdio -> the SDK's client (tests/conformance/host.ts)
 */
import { conformanceTable } from "./conformance/table.ts";
import { type Outcome, runScenario, scenariosOf, suites } from "./conformance/suite.ts";

const wanted = new Set(Deno.args.filter((arg) => !arg.startsWith("-")));
const outcomes: Outcome[] = [];
for (const suite of suites) {
  for (const scenario of await scenariosOf(suite)) {
    if (wanted.size > 0 && !wanted.has(scenario.name)) continue;
    const outcome = await runScenario(suite, scenario);
    outcomes.push(outcome);
    console.log(
      `${
        outcome.passed ? "passed" : scenario.scored ? "FAILED" : "not passed"
      }  ${suite.title}  ${scenario.name}`,
    );
    if (!outcome.passed) console.log(outcome.output.split("\n").slice(-40).join("\n"));
  }
}
const failed = outcomes.filter(({ passed, scenario, reason }) =>
  !passed && scenario.scored && reason === undefined
);
if (wanted.size === 0) {
  const page = new URL("../docs/conformance.md", import.meta.url).pathname;
  await Deno.writeTextFile(page, conformanceTable(outcomes));
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", page] }).output();
}
console.log(`${outcomes.length - failed.length} passed or explained, ${failed.length} failed`);
Deno.exit(failed.length === 0 ? 0 : 1);
