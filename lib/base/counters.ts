/**
 * Counters that any layer may add to and that the metrics endpoint reads: adding is a map lookup, so that the message
 * path pays next to nothing, and the Prometheus library is loaded only where metrics are served.
 */

/** Label names and values of one series, in the order they are declared. */
export type Labels = Readonly<Record<string, string>>;

/** Where counts go. */
export interface Counters {
  /** Adds `amount` (1) to the series of `name` with these labels. */
  add(name: string, labels?: Labels, amount?: number): void;
  /** Every series with its present value. */
  entries(): Iterable<{ readonly name: string; readonly labels: Labels; readonly value: number }>;
}

const none: Labels = {};

/** Counters in memory. */
export function memoryCounters(): Counters {
  const series = new Map<string, { name: string; labels: Labels; value: number }>();
  return {
    add(name, labels = none, amount = 1) {
      let key = name;
      for (const label in labels) key += `\u0000${labels[label]}`;
      const found = series.get(key);
      if (found === undefined) series.set(key, { name, labels, value: amount });
      else found.value += amount;
    },
    entries: () => series.values(),
  };
}

/** Counters that count nothing. */
export const noCounters: Counters = { add: () => {}, entries: () => [] };
