/** The page that shows what the conformance suite found. */
import type { Outcome } from "./suite.ts";

/** docs/conformance.md, from one whole run. */
export function conformanceTable(outcomes: readonly Outcome[]): string {
  const titles = [...new Set(outcomes.map(({ suite }) => suite.title))];
  const parts = titles.map((title) => {
    const rows = outcomes.filter(({ suite }) => suite.title === title);
    const scored = rows.filter(({ scenario }) => scenario.scored);
    const passed = scored.filter((row) => row.passed);
    const lines = rows.map((row) => {
      const result = row.passed ? "passed" : "not passed";
      const reason = row.passed ? "" : row.reason ?? "";
      return `| ${row.scenario.name} | ${
        row.scenario.scored ? "yes" : "no"
      } | ${result} | ${row.checks} | ${reason} |`;
    });
    return [
      `## ${title}`,
      "",
      `${passed.length} of ${scored.length} scored scenarios passed.`,
      "",
      "| scenario | scored | result | checks | reason |",
      "|---|---|---|---|---|",
      ...lines,
    ].join("\n");
  });
  const intro = [
    "# Conformance",
    "",
    "What the client scenarios of the MCP conformance suite (`@modelcontextprotocol/conformance`) found in stdio mode:",
    "the suite's server on one side, the TypeScript SDK's client over stdio on the other, mcp-doorman between them.",
    "Written by `deno task conformance`.",
  ].join("\n");
  return [intro, ...parts].join("\n\n") + "\n";
}
