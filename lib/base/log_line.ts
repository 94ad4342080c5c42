/** How a line of the log is written. Text from outside is cut and stripped of control characters. */

/** What a line says. */
export interface Line {
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly level: string;
  /** A word of ours. */
  readonly event: string;
  /** Texts, numbers and booleans by name; what is `undefined` is left out. */
  readonly fields: Readonly<Record<string, unknown>>;
}

const maxTextLength = 512;

/** The value as it may be shown: no control characters, at most 512 characters. */
export function cleanText(text: string): string {
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  if (text.length <= maxTextLength && !/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(text)) return text;
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  const clean = text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ");
  return clean.length > maxTextLength ? clean.slice(0, maxTextLength) + "…" : clean;
}

/** One line of JSON, without its line feed. */
export function jsonLine({ timestamp, level, event, fields }: Line): string {
  let text = JSON.stringify(fields);
  if (text.length > maxTextLength || mayNeedCleaning.test(text)) text = JSON.stringify(fields, cleaned);
  const rest = text.length === 2 ? "}" : "," + text.slice(1);
  return `{"ts":"${isoTime(timestamp)}","level":"${level}","msg":"${event}"${rest}`;
}

/** What JSON does not escape, and what it escapes but for quotes and backslashes. */
const mayNeedCleaning = /[\u007f-\u009f\u2028\u2029]|\\[^"\\]/;

function cleaned(_name: string, value: unknown): unknown {
  return typeof value === "string" ? cleanText(value) : value;
}

/** One line for a person, without its line feed. */
export function textLine({ timestamp, level, event, fields }: Line): string {
  let line = `${isoTime(timestamp)} ${level.padEnd(5)} ${event}`;
  for (const name in fields) {
    const value = fields[name];
    if (value === undefined) continue;
    const text = cleanText(String(value));
    line += ` ${name}=${/[\s"=]/.test(text) || text === "" ? JSON.stringify(text) : text}`;
  }
  return line;
}

let secondMs = NaN;
let secondText = "";

/** RFC 3339 in UTC; all but the milliseconds is kept for the rest of the second. */
function isoTime(timestampMs: number): string {
  const begins = timestampMs - timestampMs % 1_000;
  if (begins !== secondMs) {
    secondMs = begins;
    secondText = new Date(begins).toISOString().slice(0, 20);
  }
  return `${secondText}${String(timestampMs - begins).padStart(3, "0")}Z`;
}
