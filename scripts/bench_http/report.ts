/** The figures of one run as a table, with ratios to the floor. */

/** Figures by measure and subject; several are reduced to their median. */
export type Figures = Map<string, Map<string, number[]>>;

/** Notes one figure. */
export function note(figures: Figures, measure: string, subject: string, value: number | undefined): void {
  if (value === undefined || Number.isNaN(value)) return;
  const row = figures.get(measure) ?? new Map<string, number[]>();
  figures.set(measure, row);
  row.set(subject, [...row.get(subject) ?? [], value]);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}

/** Markdown; each figure with its ratio to the column `floor`. */
export function table(figures: Figures, subjects: readonly string[], floor: string): string {
  const rows = [...figures].map(([measure, row]) => {
    const base = row.get(floor);
    const cells = subjects.map((subject) => {
      const values = row.get(subject);
      if (values === undefined) return "";
      const value = median(values);
      const digits = value >= 100 ? 0 : value >= 1 ? 1 : 4;
      const ratio = base === undefined || subject === floor ? "" : ` (×${(value / median(base)).toFixed(2)})`;
      return value.toFixed(digits) + ratio;
    });
    return `| ${[measure, ...cells].join(" | ")} |`;
  });
  return [`| | ${subjects.join(" | ")} |`, `|---|${"---|".repeat(subjects.length)}`, ...rows].join("\n");
}
