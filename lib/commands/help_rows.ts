/** How help is laid out on a terminal of 120 columns. */
import type { Setting } from "../base/setting.ts";
import { shownDefault, shownFlag } from "../config/shown.ts";

const column = 38;
const width = 82;

/** A name and what it means, the latter wrapped into its column. */
export function row(left: string, right: string): string {
  const indent = " ".repeat(column);
  const lines: string[] = [];
  for (const word of right.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length + 1 > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  const head = left.length <= column - 4 ? `  ${left}`.padEnd(column) : `  ${left}\n${indent}`;
  return head + lines.join(`\n${indent}`);
}

/** A setting's flag and what it does. */
export function shortRow(setting: Setting): string {
  return row(shownFlag(setting) ?? "", setting.help);
}

/** A setting's flag, what it does, its variable and its default. */
export function settingRow(setting: Setting): string {
  const byDefault = shownDefault(setting);
  const notes = [
    setting.env === undefined ? "" : ` [${setting.env}]`,
    byDefault === undefined || byDefault === "false" ? "" : ` (default: ${byDefault})`,
  ];
  return row(shownFlag(setting) ?? "", setting.help + notes.join(""));
}
