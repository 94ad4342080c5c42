/**
 * Counters that any layer may add to and that the metrics endpoint reads: adding is a map lookup, so that the message
 * path pays next to nothing, and the Prometheus library is loaded only where metrics are served.
 */
import { Distribution } from "./distribution.ts";

/** Label names and values of one series, in the order they are declared. */
export type Labels = Readonly<Record<string, string>>;

/** One series; whoever counts it often keeps it. */
export interface Series {
  readonly name: string;
  readonly labels: Labels;
  value: number;
}

/** Where counts go. */
export interface Counters {
  /** The series of `name` with these labels. */
  series(name: string, labels?: Labels): Series;
  /** Adds `amount` (1) to the series of `name` with these labels. */
  add(name: string, labels?: Labels, amount?: number): void;
  /** The times of `name` with these labels. */
  times(name: string, labels?: Labels): Distribution;
  /** Every series with its present value. */
  entries(): Iterable<Readonly<Series>>;
  /** Every distribution of times. */
  allTimes(): Iterable<Distribution>;
}

const none: Labels = {};

/** Counters in memory. */
export function memoryCounters(): Counters {
  const all = new Map<string, Series>();
  const times = new Map<string, Distribution>();
  const series = (name: string, labels: Labels = none): Series => {
    const key = keyOf(name, labels);
    let found = all.get(key);
    if (found === undefined) all.set(key, found = { name, labels, value: 0 });
    return found;
  };
  return {
    series,
    add(name, labels, amount = 1) {
      series(name, labels).value += amount;
    },
    times(name, labels = none) {
      const key = keyOf(name, labels);
      let found = times.get(key);
      if (found === undefined) times.set(key, found = new Distribution(name, labels));
      return found;
    },
    entries: () => all.values(),
    allTimes: () => times.values(),
  };
}

function keyOf(name: string, labels: Labels): string {
  let key = name;
  for (const label in labels) key += `\u0000${labels[label]}`;
  return key;
}

/** Counters that count nothing. */
export const noCounters: Counters = {
  series: (name, labels = none) => ({ name, labels, value: 0 }),
  add: () => {},
  times: (name, labels = none) => new Distribution(name, labels),
  entries: () => [],
  allTimes: () => [],
};
