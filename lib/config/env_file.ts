/**
 * The variables of a `.env` file, as `parseEnv` of Node.js reads them: `NAME=value`, an optional `export`, comments,
 * quotes of three kinds (which keep line breaks), `\n` inside double quotes. The oldest runtime that is supported has
 * no `parseEnv`, and a program in one file cannot import what is not there.
 */
export function parseEnvFile(text: string): Record<string, string> {
  const variables: Record<string, string> = {};
  const line =
    /^[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*=[ \t]*("(?:[^"]*)"|'(?:[^']*)'|`(?:[^`]*)`|[^\r\n]*)/gm;
  for (const [, name = "", raw = ""] of text.replaceAll("\r\n", "\n").matchAll(line)) {
    variables[name] = value(raw);
  }
  return variables;
}

function value(raw: string): string {
  const quote = raw[0];
  if (raw.length > 1 && (quote === '"' || quote === "'" || quote === "`") && raw.endsWith(quote)) {
    const inner = raw.slice(1, -1);
    return quote === '"' ? inner.replaceAll("\\n", "\n") : inner;
  }
  return (raw.split("#")[0] ?? "").trim();
}
