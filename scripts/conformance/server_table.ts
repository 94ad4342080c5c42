/** The part of docs/conformance.md about server scenarios. */
import { type Comparison, isSame, type Row } from "./compare.ts";
import type { Check } from "./server_suite.ts";

/** The heading that this part begins with; what comes before it is about stdio mode. */
export const serverHeading = "## Server scenarios through http mode";

/** This part, from a run of all suites. */
export function serverTable(comparisons: readonly Comparison[]): string {
  const intro = [
    serverHeading,
    "",
    "The suite's server scenarios against a server of ours (`tests/conformance/everything/`), directly and through",
    "mcp-doorman with logins on: the same server behind http mode, a token put into each request on the way. A scenario",
    "is the same when each of its checks came out the same, warnings and notes included. The `tasks-*` scenarios fail",
    "both ways: the server has no tasks. Written by `deno task conformance server`.",
  ].join("\n");
  return [intro, ...comparisons.map(suiteTable)].join("\n\n") + "\n";
}

function suiteTable({ suite, rows }: Comparison): string {
  const scenarios = [...new Set(rows.map(({ scenario }) => scenario))];
  const different = rows.filter((row) => !isSame(row));
  const lines = scenarios.map((scenario) => {
    const own = rows.filter((row) => row.scenario === scenario);
    const same = own.every(isSame) ? "yes" : "no";
    const cells = [
      own[0]?.scored === true ? "yes" : "no",
      counts(own, "direct"),
      counts(own, "proxied"),
      same,
    ];
    return `| ${scenario} | ${cells.join(" | ")} |`;
  });
  return [
    `### ${suite.title}, for servers`,
    "",
    `${counts(rows, "direct")} checks passed directly, ${counts(rows, "proxied")} through mcp-doorman; ` +
    `${different.length} of ${rows.length} results differ.`,
    "",
    "| scenario | scored | directly | through mcp-doorman | same |",
    "|---|---|---|---|---|",
    ...lines,
    ...different.map((row) =>
      `\n\`${row.scenario}\`, \`${row.id}\`: ${row.direct?.status}, ${row.proxied?.status}.`
    ),
  ].join("\n");
}

/** As the suite counts: what only informs, and what did not apply, is no result. */
function counts(rows: readonly Row[], way: "direct" | "proxied"): string {
  const counted = rows.map((row): Check | undefined => row[way]).filter((check) =>
    check !== undefined && (check.status === "SUCCESS" || check.status === "FAILURE")
  );
  return `${counted.filter((check) => check?.status === "SUCCESS").length} of ${counted.length}`;
}
