/** The Prometheus text of several processes as one: values of the same series are added up. */
export function mergeMetrics(texts: readonly string[]): string {
  const comments = new Map<string, string[]>();
  const series = new Map<string, Map<string, number>>();
  for (const text of texts) {
    for (const line of text.split("\n")) {
      const comment = /^# (?:HELP|TYPE) (\S+)/.exec(line);
      if (comment !== null) {
        const [, name = ""] = comment;
        const known = comments.get(name) ?? [];
        if (!known.includes(line)) comments.set(name, [...known, line]);
        continue;
      }
      const match = /^([A-Za-z_:][\w:]*)(\{.*\})? (\S+)$/.exec(line);
      if (match === null) continue;
      const [, name = "", labels = "", value = ""] = match;
      const values = series.get(name) ?? new Map<string, number>();
      series.set(name, values);
      values.set(labels, (values.get(labels) ?? 0) + Number(value));
    }
  }
  const lines = [...series].flatMap(([name, values]) => [
    ...comments.get(name) ?? [],
    ...[...values].map(([labels, value]) => `${name}${labels} ${value}`),
  ]);
  return lines.join("\n") + "\n";
}
