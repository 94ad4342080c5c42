/**
 * Where settings come from: flags beat the environment, which beats the `.env` file. Within one of these, two names for
 * one setting must agree. An empty text counts as unset, except where a setting says otherwise. A secret may be in a
 * file that `<NAME>_FILE` names.
 */
import type { Setting } from "../base/setting.ts";
import type { CommandLine, GivenText } from "./arguments.ts";
import { parseEnvFile } from "./env_file.ts";

/** What the program is started with, besides its arguments. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The text of a file. Throws when it cannot be read. */
  readonly readFile: (path: string) => string;
}

/**
 * The process's own surroundings. A file is read once, since a pipe, as of `--env-file <(…)`, is empty after that. With
 * `filesOnly` a pipe is not read at all: another process has had its text.
 */
export function processSurroundings({ filesOnly = false } = {}): Surroundings {
  const texts = new Map<string, string>();
  return {
    env: Deno.env.toObject(),
    readFile(path) {
      if (filesOnly && !Deno.statSync(path).isFile) {
        throw new Error("it is a pipe, which one process can read; workers need a file");
      }
      const text = texts.get(path) ?? Deno.readTextFileSync(path);
      texts.set(path, text);
      return text;
    },
  };
}

/** The variables of a `.env` file, or `undefined` when it is not there and need not be. */
export function readEnvFile(
  file: string,
  required: boolean,
  from: Surroundings,
  problems: string[],
): Readonly<Record<string, string | undefined>> | undefined {
  try {
    return parseEnvFile(from.readFile(file));
  } catch (error) {
    if (required || !(error instanceof Deno.errors.NotFound)) problems.push(cannotRead(file, error));
    return undefined;
  }
}

function cannotRead(file: string, error: unknown): string {
  const found = error instanceof Error
    ? error.message.replace(/^(.*?): (readfile|open).*/, "$1")
    : String(error);
  return `Cannot read ${file}: ${found}`;
}

/** The text of one setting, and the name under which it was found. */
export function findText(
  key: string,
  setting: Setting,
  line: CommandLine,
  layers: readonly Readonly<Record<string, string | undefined>>[],
  from: Surroundings,
  problems: string[],
): GivenText | undefined {
  const unset = (text: string) => text === "" && setting.emptyIsValue !== true;
  const flags = (line.flags.get(key) ?? []).filter(({ text }) => !unset(text));
  if (flags.length > 0) return agreed(flags, setting, problems);
  for (const [below, layer] of layers.entries()) {
    const rank = below + 1;
    const given: GivenText[] = [];
    for (const name of setting.env === undefined ? [] : [setting.env, ...setting.envAliases ?? []]) {
      const text = layer[name];
      if (text !== undefined && !unset(text)) given.push({ text, name, rank });
      const file = setting.secret === true ? layer[`${name}_FILE`] : undefined;
      if (file === undefined || file === "") continue;
      try {
        given.push({ text: from.readFile(file).replace(/\r?\n$/, ""), name: `${name}_FILE`, rank });
      } catch (error) {
        problems.push(`Cannot use ${name}_FILE: ${cannotRead(file, error)}`);
      }
    }
    const found = given.filter(({ text }) => !unset(text));
    if (found.length > 0) return agreed(found, setting, problems);
  }
  return undefined;
}

function agreed(given: readonly GivenText[], setting: Setting, problems: string[]): GivenText | undefined {
  const [first] = given;
  const other = given.find(({ text }) => text.trim() !== first?.text.trim());
  if (first === undefined || other === undefined) return first;
  const values = setting.secret === true ? "" : ` ("${first.text}" and "${other.text}")`;
  problems.push(
    first.name === other.name
      ? `Cannot use ${first.name} twice with different values${values}; give it once`
      : `Cannot use ${first.name} and ${other.name} with different values${values}: they are one setting; keep one`,
  );
  return first; // so that it does not count as missing as well
}
