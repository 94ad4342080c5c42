import { parse, patch, stringify } from "@decimalturn/toml-patch";
import { UserError } from "../../base/errors.ts";

type Table = Record<string, unknown>;

/**
 * The text of a TOML file with one entry of a section set, or taken out (`undefined`); everything else stays as it is.
 * A new entry is a table of its own at the end. Throws a `UserError` when the text is not what it should be.
 */
export function editToml(text: string, section: string, name: string, entry: unknown, file: string): string {
  const found = read(text, file);
  const servers = found[section];
  if (servers !== undefined && !isTable(servers)) {
    throw new UserError(`Cannot change ${file}: "${section}" in it is no table`);
  }
  const before = servers?.[name];
  if (JSON.stringify(before) === JSON.stringify(entry)) return text;
  const wanted = { ...found, [section]: { ...servers, [name]: entry } };
  if (entry === undefined) {
    const { [name]: _, ...rest } = servers ?? {};
    const gone = Object.keys(rest).length === 0 &&
      !new RegExp(`^[ \\t]*\\[[ \\t]*${section}[ \\t]*\\]`, "m").test(text);
    const { [section]: _section, ...others } = found;
    return eol(text, patch(text, gone ? others : { ...others, [section]: rest }, format));
  }
  if (before === undefined) {
    const appended = eol(text, withTable(text, section, name, entry));
    if (same(appended, wanted)) return appended;
  }
  return eol(text, patch(text, wanted, format));
}

const format = { inlineTableStart: 2 };

function read(text: string, file: string): Table {
  try {
    return parse(text) as Table;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw new UserError(`Cannot read ${file}: ${reason}`, {
      hint: "Repair the file first; nothing was changed.",
    });
  }
}

function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function withTable(text: string, section: string, name: string, entry: unknown): string {
  const table = stringify({ [section]: { [name]: entry } }, format).replace(/^\[[^\]\n]*\]\n+(?=\[)/, "");
  const head = text.trimEnd();
  return `${head}${head === "" ? "" : "\n\n"}${table.trim()}\n`;
}

function same(text: string, wanted: unknown): boolean {
  try {
    return canonical(parse(text)) === canonical(wanted);
  } catch {
    return false;
  }
}

function canonical(value: unknown): string {
  return JSON.stringify(
    value,
    (_, member: unknown) =>
      isTable(member) && !(member instanceof Date)
        ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => a < b ? -1 : 1))
        : member,
  );
}

function eol(before: string, text: string): string {
  return before.includes("\r\n") ? text.replaceAll(/\r?\n/g, "\r\n") : text;
}
