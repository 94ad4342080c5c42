/**
 * From command line and environment to values: which mode, which dialect, and every setting of that mode read by its
 * kind. What is wrong is collected, so that all of it can be said at once; the slices of `config/` add what only shows
 * in combination.
 *
 *     settings.ts       -> all settings there are ---.
 *     stdio_settings.ts -> those of stdio mode -------+-> readEntries() -> Reading
 */
import { ConfigError } from "../base/errors.ts";
import type { ConfigWarning, Setting } from "../base/setting.ts";
import { type CommandLine, type OwnFlag, readArguments } from "./arguments.ts";
import { chooseDialect, type Dialect, dialects } from "./dialects.ts";
import { findText, processSurroundings, readEnvFile, type Surroundings } from "./sources.ts";
import type { Key, TableValues } from "./table.ts";
import { baseUrlSettings } from "./table/base_url.ts";
import { generalSettings } from "./table/general.ts";

/** Everything that was given, and what is wrong with it. */
export interface Reading<V = TableValues> {
  readonly mode: "stdio" | "http";
  readonly dialect: Dialect;
  /** By setting: what was given, else the dialect's default, else the declared one. */
  readonly values: V;
  /** The values of the outbound modes' settings, by `outboundKey`. */
  readonly outboundValues: Readonly<Record<string, unknown>>;
  /** The settings that were given, with the name each came under. */
  readonly given: ReadonlyMap<string, string>;
  /** Their texts, and how far down the source of each stands. */
  readonly texts: ReadonlyMap<string, string>;
  readonly ranks: ReadonlyMap<string, number>;
  /** A variable of the environment or the `.env` file. */
  variable(name: string): string | undefined;
  readonly own: CommandLine["own"];
  readonly problems: string[];
  readonly warnings: ConfigWarning[];
}

/** What narrows the reading down. */
export interface ReadingOptions {
  /** The mode whatever the settings say; for commands that belong to one. */
  readonly mode?: "stdio" | "http";
  /** The flags of the command. */
  readonly ownFlags?: Readonly<Record<string, OwnFlag>>;
  /** There are more settings than these: what looks like a flag is one, known or not, and no flag's value. */
  readonly partial?: boolean;
}

/** Settings with the names that the code uses. */
export type Entries = readonly (readonly [key: string, setting: Setting])[];

type Layer = Readonly<Record<string, string | undefined>>;

/**
 * Reads these settings, whose values are a `V`; any other is unknown. Never throws for what a user can do wrong; see
 * `problems`.
 */
export function readEntries<V>(
  entries: Entries,
  argv: readonly string[],
  from: Surroundings = processSurroundings(),
  options: ReadingOptions = {},
): Reading<V> {
  const problems: string[] = [];
  const line = withUpstream(readArguments(argv, entries, problems, options), problems);
  const file = line.flags.get("envFile")?.at(-1)?.text || undefined;
  const layers: Layer[] = [from.env];
  addLayer(layers, file === undefined ? undefined : readEnvFile(file, true, from, problems));
  let start = chooseStart(line, layers, from, options);
  if (start.mode === "http" && file === undefined) {
    addLayer(layers, readEnvFile(".env", false, from, problems));
    start = chooseStart(line, layers, from, { ...options, mode: "http" });
  }
  const { mode, dialect } = start;
  problems.push(...start.problems);

  const given = new Map<string, string>();
  const texts = new Map<string, string>();
  const ranks = new Map<string, number>();
  const values: Record<string, unknown> = {};
  for (const [key, setting] of entries) {
    const byDefault = dialect.defaults[key as Key] ?? setting.default;
    if (byDefault !== undefined) values[key] = byDefault;
    if (setting.mode !== "both" && setting.mode !== mode) continue;
    const found = findText(key, setting, line, layers, from, problems);
    if (found === undefined) continue;
    given.set(key, found.name);
    texts.set(key, found.text);
    ranks.set(key, found.rank);
    const value = parse(found.text, found.name, setting, problems);
    if (value !== undefined) values[key] = value;
  }
  return {
    mode,
    dialect,
    values: values as V,
    outboundValues: values,
    given,
    texts,
    ranks,
    variable: (name) => layers.map((layer) => layer[name]).find((value) => value !== undefined),
    own: line.own,
    problems,
    warnings: [],
  };
}

function addLayer(layers: Layer[], layer: Layer | undefined): void {
  if (layer !== undefined) layers.push(layer);
}

/** The argument that is no flag is the upstream's URL. */
function withUpstream(line: CommandLine, problems: string[]): CommandLine {
  const [first, ...rest] = line.positionals;
  if (rest.length > 0) {
    problems.push(`Cannot use "${rest.join('" and "')}": one argument, the upstream's URL, is expected`);
  }
  if (first === undefined || first === "") return line;
  const named = line.flags.get("upstreamUrl") ?? [];
  const flags = new Map(line.flags).set("upstreamUrl", [
    { text: first, name: "the upstream's URL", rank: 0 },
    ...named,
  ]);
  return { ...line, flags };
}

/** The settings on which the meaning of all others depends. */
function chooseStart(
  line: CommandLine,
  layers: readonly Layer[],
  from: Surroundings,
  options: ReadingOptions,
): { mode: "stdio" | "http"; dialect: Dialect; problems: string[] } {
  const names = new Map<string, string>();
  const ignored: string[] = []; // the full reading finds the same problems again
  for (const { baseUrl } of dialects) {
    const found = findText(baseUrl, baseUrlSettings[baseUrl], line, layers, from, ignored);
    if (found !== undefined) names.set(baseUrl, found.name);
  }
  const problems: string[] = [];
  const dialect = chooseDialect(names, problems);
  const transport = findText("transport", generalSettings.transport, line, layers, from, ignored)?.text
    .trim();
  const asked = options.mode ?? transport;
  const mode = (asked ?? dialect.defaults.transport) === "http" ? "http" : "stdio";
  return mode === "http"
    ? { mode, dialect, problems }
    : { mode, dialect: dialects[0] ?? dialect, problems: [] };
}

function parse(text: string, name: string, setting: Setting, problems: string[]): unknown {
  try {
    return setting.kind.parse(text);
  } catch (error) {
    const expected = error instanceof Error ? error.message : String(error);
    const found = setting.secret === true ? "its value" : JSON.stringify(text);
    problems.push(`Cannot use ${found} as ${name}: expected ${expected}`);
    return undefined;
  }
}

/** What was made of a reading, when nothing is wrong with it. Throws a `ConfigError` with every problem, on one line each. */
export function withoutProblems<T>({ problems }: Pick<Reading, "problems">, config: T): T {
  if (problems.length === 0) return config;
  throw new ConfigError([...new Set(problems.map((problem) => problem.replaceAll(/\p{Cc}+/gu, " ")))]);
}

/** How a setting is called in a message: `OIDC_ISSUER_URL (--oidc-issuer-url)`. */
export function settingLabel(setting: Setting): string {
  return [
    setting.env,
    setting.flag === undefined
      ? undefined
      : setting.env === undefined
      ? `--${setting.flag}`
      : `(--${setting.flag})`,
  ]
    .filter((part) => part !== undefined).join(" ");
}
