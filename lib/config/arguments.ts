/**
 * The command line as texts by setting. Nothing is judged here but the line itself: unknown flags, flags without their
 * value, and flags given twice with different values.
 */
import type { Setting } from "../base/setting.ts";
import { nearest } from "./nearest.ts";
import { tokens } from "./tokens.ts";

/** A setting's text and the name it came under. */
export interface GivenText {
  readonly text: string;
  readonly name: string;
  /** How far down its source stands: 0 for the command line, then the environment, then the `.env` file. */
  readonly rank: number;
}

/** What the command line says. */
export interface CommandLine {
  /** By setting; several when aliases were used. */
  readonly flags: ReadonlyMap<string, readonly GivenText[]>;
  /** Flags that are no settings: the command's own. */
  readonly own: Readonly<Record<string, string | true | undefined>>;
  readonly positionals: readonly string[];
}

/** A flag of a command that is no setting. */
export interface OwnFlag {
  /** What stands for its value; absent: it has none. */
  readonly value?: string;
  readonly help: string;
}

interface FlagMeaning {
  readonly key?: string;
  readonly takesValue: boolean;
  readonly fixed?: string;
  readonly repeatable?: boolean;
}

function meanings(
  settings: readonly (readonly [string, Setting])[],
  own: Readonly<Record<string, OwnFlag>>,
): Map<string, FlagMeaning> {
  const found = new Map<string, FlagMeaning>();
  for (const [key, setting] of settings) {
    for (const name of [setting.flag, ...setting.flagAliases ?? []]) {
      if (name === undefined) continue;
      if (setting.kind.placeholder === "") {
        found.set(name, { key, takesValue: false, fixed: "true" });
        found.set(`no-${name}`, { key, takesValue: false, fixed: "false" });
      } else {
        found.set(name, { key, takesValue: true, repeatable: setting.repeatable ?? false });
      }
    }
  }
  for (const [name, flag] of Object.entries(own)) found.set(name, { takesValue: flag.value !== undefined });
  return found;
}

/** Reads the command line; what is wrong with it goes to `problems`. */
export function readArguments(
  argv: readonly string[],
  settings: readonly (readonly [string, Setting])[],
  problems: string[],
  { ownFlags = {}, partial = false }: {
    readonly ownFlags?: Readonly<Record<string, OwnFlag>>;
    readonly partial?: boolean;
  } = {},
): CommandLine {
  const known = meanings(settings, ownFlags);
  const flags = new Map<string, GivenText[]>();
  const own: Record<string, string | true | undefined> = {};
  const positionals: string[] = [];
  const looksLikeFlag = (text: string) =>
    text.startsWith("--") && (partial || known.has(text.slice(2).split("=")[0] ?? ""));
  const takesValue = (name: string) => known.get(name)?.takesValue === true;
  for (const token of tokens(joinSplitHeaders(argv), takesValue)) {
    if (token.kind === "positional") {
      positionals.push(token.value);
      continue;
    }
    const { name = "" } = token;
    const meaning = known.get(name);
    if (meaning === undefined) {
      problems.push(unknownFlag(token.rawName, [...known.keys()]));
      continue;
    }
    const text = token.value ?? meaning.fixed;
    if (meaning.takesValue && (text === undefined || (!token.inline && looksLikeFlag(text)))) {
      problems.push(`Cannot use ${token.rawName}: its value is missing`);
      continue;
    }
    if (meaning.key === undefined) {
      own[name] = meaning.takesValue ? text : true;
    } else {
      const given = flags.get(meaning.key) ?? [];
      const negated = meaning.fixed === "false" && token.value !== undefined;
      if (negated) problems.push(`Cannot use ${token.rawName} with a value: it stands for "false"`);
      else give(given, { text: text ?? "", name: token.rawName, rank: 0 }, meaning.repeatable === true);
      flags.set(meaning.key, given);
    }
  }
  return { flags, own, positionals };
}

function give(given: GivenText[], added: GivenText, repeatable: boolean): void {
  const before = given.at(-1);
  if (repeatable && before !== undefined) {
    given[0] = { ...added, text: `${before.text}\n${added.text}` };
  } else given.push(added);
}

function unknownFlag(name: string, known: readonly string[]): string {
  const near = nearest(name.replace(/^-+/, ""), known);
  return `Cannot use ${name}: there is no such flag${near === undefined ? "" : `; did you mean --${near}?`}`;
}

/** Some hosts split `"Name: value"` at the blank: `--header Name: value` means one header. */
function joinSplitHeaders(argv: readonly string[]): string[] {
  const out: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const arg = argv[at] ?? "";
    const next = argv[at + 1];
    const name = arg.startsWith("--header=") ? arg : out.at(-1) === "--header" ? arg : "";
    if (name.endsWith(":") && next !== undefined && !next.startsWith("-")) {
      out.push(arg + next);
      at++;
    } else {
      out.push(arg);
    }
    if (arg === "--") return [...out, ...argv.slice(at + 1)];
  }
  return out;
}
