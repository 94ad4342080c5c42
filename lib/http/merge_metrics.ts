/** What is as bad as it is in the worst process, or began with the first. */
const least = new Set(["mcp_doorman_store_up", "mcp_doorman_idp_reached", "process_start_time_seconds"]);

/**
 * What of a process that has ended still counts: its counters, so that their sum never falls; a fall would be read as
 * a restart, and everything counted anew.
 */
export function countersOf(text: string): string {
  const families = [...text.matchAll(/^# TYPE (\S+) (?:counter|histogram)$/gm)].map(([, name]) => name);
  const kept = new Set(families);
  return text.split("\n").filter((line) => {
    const name = /^(?:# \w+ )?([\w:]+)/.exec(line)?.[1] ?? "";
    return kept.has(name) || kept.has(name.replace(/_(?:bucket|sum|count)$/, ""));
  }).join("\n");
}

/** The Prometheus text of several processes as one: values of the same series are added up, where a sum has a meaning. */
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
      const before = values.get(labels);
      if (before === undefined) values.set(labels, Number(value));
      else values.set(labels, least.has(name) ? Math.min(before, Number(value)) : before + Number(value));
    }
  }
  const explained = new Set<string>();
  const lines = [...series].flatMap(([name, values]) => {
    // The series of a histogram have an ending behind the family's name.
    const family = comments.has(name) ? name : name.replace(/_(?:bucket|sum|count)$/, "");
    const first = !explained.has(family);
    explained.add(family);
    return [
      ...first ? comments.get(family) ?? [] : [],
      ...[...values].map(([labels, value]) => `${name}${labels} ${value}`),
    ];
  });
  return lines.join("\n") + "\n";
}
