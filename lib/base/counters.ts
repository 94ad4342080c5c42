/**
 * Counters that any layer may add to and that the metrics endpoint reads: adding is a map lookup, so that the message
 * path pays next to nothing, and the Prometheus library is loaded only where metrics are served.
 */

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
  /** Every series with its present value. */
  entries(): Iterable<Readonly<Series>>;
}

const none: Labels = {};

/** Counters in memory. */
export function memoryCounters(): Counters {
  const all = new Map<string, Series>();
  const series = (name: string, labels: Labels = none): Series => {
    let key = name;
    for (const label in labels) key += `\u0000${labels[label]}`;
    let found = all.get(key);
    if (found === undefined) all.set(key, found = { name, labels, value: 0 });
    return found;
  };
  return {
    series,
    add(name, labels, amount = 1) {
      series(name, labels).value += amount;
    },
    entries: () => all.values(),
  };
}

/** Counters that count nothing. */
export const noCounters: Counters = {
  series: (name, labels = none) => ({ name, labels, value: 0 }),
  add: () => {},
  entries: () => [],
};
