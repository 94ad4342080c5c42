/** The figures of one run as a table. */
import type { Findings, Order } from "./driver.ts";
import type { Runtime } from "./drivers.ts";

/** A client's rounds, directly and through stdio mode. */
export interface Pair {
  readonly client: string;
  readonly runtime: Runtime;
  readonly direct: Side;
  readonly through: Side;
}

/** One way of one client. */
export interface Side {
  readonly way: Order["way"];
  readonly all: Findings[];
}

function median(all: readonly Findings[], measure: string): number {
  const values = all.map((findings) => findings[measure] ?? NaN).sort((a, b) => a - b);
  return values[values.length >> 1] ?? NaN;
}

const shown = (value: number) => value.toFixed(value >= 1_000 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3);

/** Markdown: what each client sees of its way, then what the program itself costs. */
export function report(pairs: readonly Pair[]): string {
  const rows = pairs.flatMap(({ client, direct, through }) =>
    ["sequential call, ms", "64 in flight, calls/s", "5 MB result, ms"].map((measure) => {
      const [without, within] = [median(direct.all, measure), median(through.all, measure)];
      const ratio = measure.startsWith("sequential")
        ? `+ ${shown(within - without)} ms`
        : `× ${(within / without).toFixed(2)}`;
      return `| ${[client, measure, shown(without), shown(within), ratio].join(" | ")} |`;
    })
  );
  const through = pairs[0]?.through.all ?? [];
  const own = Object.keys(through[0] ?? {}).filter((name) => /CPU|memory|spawn/.test(name));
  return [
    "| client | measure | direct | through stdio mode | |",
    "|---|---|---|---|---|",
    ...rows,
    "",
    "| of the program itself | |",
    "|---|---|",
    ...own.map((name) => `| ${name} | ${shown(median(through, name))} |`),
  ].join("\n");
}
