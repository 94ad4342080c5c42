/** The settings as Markdown: a short table for the README and the full reference. */
import type { Setting } from "../../lib/base/setting.ts";
import { dialects } from "../../lib/config/dialects.ts";
import { rationale } from "../../lib/config/rationale/rationale.ts";
import { shownDefault, shownFlag } from "../../lib/config/shown.ts";
import { entries, table } from "../../lib/config/table.ts";

const groups = [...new Set(entries.map(([, { group }]) => group))];

function inGroup(group: string): (readonly [string, Setting])[] {
  return entries.filter(([, setting]) => setting.group === group);
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

function code(text: string): string {
  return `\`${text}\``;
}

/** One table per heading, folded away: variable, flag, default, meaning. */
export function readmeTables(): string {
  const tables = groups.map((group) =>
    [
      "<details>",
      `<summary>${group} (${inGroup(group).length})</summary>`,
      "",
      "<!-- deno-fmt-ignore-start -->",
      "| Variable | Flag | Default | What it does |",
      "|---|---|---|---|",
      ...inGroup(group).map(([, setting]) => {
        const flag = shownFlag(setting);
        const columns = [
          setting.env === undefined ? "" : code(setting.env),
          flag === undefined ? "" : code(flag),
          shownDefault(setting) ?? "",
          setting.help,
        ];
        return `| ${columns.map(cell).join(" | ")} |`;
      }),
      "<!-- deno-fmt-ignore-end -->",
      "",
      "</details>",
    ].join("\n")
  );
  return tables.join("\n\n");
}

function reference([key, setting]: readonly [string, Setting]): string {
  const flag = shownFlag(setting);
  const aliases = [...setting.envAliases ?? [], ...(setting.flagAliases ?? []).map((name) => `--${name}`)];
  const secret = setting.secret === true
    ? `- Secret: never shown or logged; ${code(`${setting.env}_FILE`)} names a file that holds it`
    : undefined;
  const modes = { stdio: "stdio", http: "http", both: "stdio and http" }[setting.mode];
  return [
    `### ${setting.env === undefined ? code(`--${setting.flag}`) : code(setting.env)}`,
    "",
    `${setting.help}.`,
    "",
    ...(setting.env !== undefined && flag !== undefined ? [`- Flag: ${code(flag)}`] : []),
    ...(aliases.length === 0 ? [] : [`- Also: ${aliases.map(code).join(", ")}`]),
    `- Default: ${shownDefault(setting) ?? "none"}`,
    `- Mode: ${modes}`,
    ...(secret === undefined ? [] : [secret]),
    "",
    setting.rationale ?? rationale[key] ?? "",
  ].join("\n");
}

function dialectTable(): string {
  const named = dialects.map((dialect) => code(table[dialect.baseUrl].env));
  const rows: (readonly [string, (dialect: (typeof dialects)[number]) => string])[] = [
    ["transport", ({ defaults }) => defaults.transport ?? ""],
    ["INBOUND_AUTH_PROVIDER", ({ defaults }) => defaults.inbound ?? "must be given"],
    ["port", ({ defaults }) => `${defaults.port}`],
    ["mount", ({ mount }) => ({ base: "`/mcp`", upstream: "the upstream's path", all: "every path" })[mount]],
    ["OUTBOUND_AUTH", ({ defaults }) => defaults.outboundAuth ?? ""],
    [
      "callback at the provider",
      ({ callbackPath, defaults }) => defaults.inbound === "jwt" ? "–" : code(callbackPath),
    ],
    ["registration", ({ registerPath }) => code(registerPath)],
    ["MCP_PER_SUBJECT_CONCURRENCY", ({ defaults }) => `${defaults.perSubjectConcurrency}`],
    ["RATE_LIMIT_RPM", ({ defaults }) => `${defaults.perSubjectPerMinute}`],
    ["allow-list", ({ allowListRequired }) => allowListRequired ? "required" : "optional"],
    ["AUDIENCE", ({ audienceRequired }) => audienceRequired ? "required" : "optional"],
  ];
  return [
    `| Default of | ${named.join(" | ")} |`,
    `|---|${named.map(() => "---|").join("")}`,
    ...rows.map(([name, of]) => `| ${name} | ${dialects.map(of).join(" | ")} |`),
  ].join("\n");
}

/** The whole of `docs/configuration.md`. */
export function configurationPage(): string {
  const introduction = [
    "# Configuration",
    "",
    "<!-- Made by `deno task docs` from the settings table in lib/config/; do not edit. -->",
    "",
    "Every setting has a flag and a variable. A flag beats a variable, which beats `.env`, which beats the default.",
    "An empty value counts as unset (but `REDIS_KEY_PREFIX=` means no prefix). `.env` is read from the working",
    "directory in http mode; in stdio mode only with `--env-file`. Settings of the other mode are ignored.",
    "",
    "Booleans are `true`, `1`, `yes`, `on` and `false`, `0`, `no`, `off`; a switch can also be given as `--name` and",
    "`--no-name`. Durations are written as in Go (`90s`, `1h30m`, `168h`) or in plain seconds. Two names of one setting",
    "with different values are an error. All problems are reported at once, one line each, and the program exits with 2;",
    "`mcp-doorman --check-config` does only that.",
    "",
    "## Defaults by the name of the public URL",
    "",
    "Configurations of three other systems start unchanged. Where their defaults contradict each other, the name under",
    "which the public URL is given chooses. Whatever is set explicitly wins; two of these names at once are an error.",
    "",
    dialectTable(),
  ].join("\n");
  const parts = groups.map((group) => [`## ${group}`, ...inGroup(group).map(reference)].join("\n\n"));
  return `${[introduction, ...parts].join("\n\n")}\n`;
}
