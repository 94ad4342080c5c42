import { entries } from "../../config/table.ts";

/** What changes from one text to the other, as lines with `-` and `+` and two lines around them. */
export function diffLines(before: string, after: string): string[] {
  const a = before.split("\n");
  const b = after.split("\n");
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++;
  return [
    ...a.slice(Math.max(0, head - 2), head).map((line) => `  ${line}`),
    ...a.slice(head, a.length - tail).map((line) => `- ${line}`),
    ...b.slice(head, b.length - tail).map((line) => `+ ${line}`),
    ...a.slice(a.length - tail, a.length - tail + 2).map((line) => `  ${line}`),
  ].map((line) => line.trimEnd()).filter((line, at, all) => line !== "+" || at < all.length - 1);
}

const secretNames = entries.filter(([, { secret }]) => secret === true).map(([, { env }]) => env);
const secretValue = new RegExp(`("?\\b(?:${secretNames.join("|")})"?\\s*[:=]\\s*)"(?:[^"\\\\]|\\\\.)*"`, "g");

/** The line without the values of secrets: the file has them, a terminal is no place for them. */
export function masked(line: string): string {
  return line.replaceAll(secretValue, '$1"…"');
}
