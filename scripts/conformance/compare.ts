/** One suite run twice, check by check. */
import type { Check, ServerRun, ServerSuite } from "./server_suite.ts";

/** A check as it came out directly and through the proxy; `undefined` where it was not made. */
export interface Row {
  readonly scenario: string;
  readonly scored: boolean;
  readonly id: string;
  readonly direct: Check | undefined;
  readonly proxied: Check | undefined;
}

export interface Comparison {
  readonly suite: ServerSuite;
  readonly rows: readonly Row[];
}

/** Pairs the checks of two runs: by scenario, id and place among those of the same id. */
export function compare(suite: ServerSuite, direct: ServerRun, proxied: ServerRun): Comparison {
  const rows: Row[] = [];
  for (const scenario of new Set([...direct.scenarios.keys(), ...proxied.scenarios.keys()])) {
    const scored = !direct.unscored.has(scenario);
    const first = numbered(direct.scenarios.get(scenario) ?? []);
    const second = numbered(proxied.scenarios.get(scenario) ?? []);
    for (const key of new Set([...first.keys(), ...second.keys()])) {
      const id = (first.get(key) ?? second.get(key))?.id ?? "";
      rows.push({ scenario, scored, id, direct: first.get(key), proxied: second.get(key) });
    }
  }
  return { suite, rows };
}

/** Whether both ways found the same. */
export function isSame({ direct, proxied }: Row): boolean {
  return direct?.status === proxied?.status;
}

function numbered(checks: readonly Check[]): Map<string, Check> {
  const counts = new Map<string, number>();
  return new Map(checks.map((check) => {
    const count = (counts.get(check.id) ?? 0) + 1;
    counts.set(check.id, count);
    return [`${check.id} ${count}`, check];
  }));
}

/** One line of the console's table per check. */
export function checkLines({ suite, rows }: Comparison): string[] {
  const word = (check: Check | undefined) => (check?.status ?? "not made").toLowerCase().padEnd(9);
  return [
    `${suite.title}: directly, through mcp-doorman`,
    ...rows.map((row) =>
      `${isSame(row) ? " " : "!"} ${word(row.direct)} ${word(row.proxied)} ${row.scenario}: ${row.id}` +
      (isSame(row) ? "" : `\n    ${row.direct?.message}\n    ${row.proxied?.message}`)
    ),
  ];
}
