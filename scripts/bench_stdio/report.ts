/** The figures of one run as a table: medians over its rounds, and medians of what each round compares. */
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

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}

function median(all: readonly Findings[], measure: string): number {
  return middle(all.map((findings) => findings[measure] ?? NaN));
}

/** Both ways of one round are compared with each other, since the machine is faster in one round than in another. */
function compared(
  { direct, through }: Pair,
  measure: string,
  by: (without: number, within: number) => number,
) {
  return middle(
    direct.all.map((findings, round) => by(findings[measure] ?? NaN, through.all[round]?.[measure] ?? NaN)),
  );
}

const shown = (value: number) => value.toFixed(value >= 1_000 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3);

/** Markdown: what each client sees of its way, then what the program itself costs. */
export function report(pairs: readonly Pair[]): string {
  const rows = pairs.flatMap((pair) =>
    ["sequential call, ms", "64 in flight, calls/s", "5 MB result, ms"].map((measure) => {
      const { client, direct, through } = pair;
      const [without, within] = [median(direct.all, measure), median(through.all, measure)];
      const ratio = measure.startsWith("sequential")
        ? `+ ${shown(compared(pair, measure, (without, within) => within - without))} ms`
        : `× ${compared(pair, measure, (without, within) => within / without).toFixed(2)}`;
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
