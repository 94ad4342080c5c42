/**
 * Help, made from the tables that the program itself reads: `-h` on one screen, `--help` with every setting, by mode;
 * `help <command>` and `help stdio | http` for a part of it.
 */
import { UserError } from "../base/errors.ts";
import type { SettingMode } from "../base/setting.ts";
import { entries } from "../config/table.ts";
import { row, settingRow, shortRow } from "./help_rows.ts";
import { commands } from "./list.ts";

/** A part of the help: what a mode is for, how it is started, and what most people set. */
interface Mode {
  readonly title: string;
  readonly examples: readonly string[];
  /** Keys of the settings on the short page. */
  readonly often: readonly string[];
}

const modes: Readonly<Record<SettingMode, Mode>> = {
  stdio: {
    title: "STDIO MODE: an MCP client starts it, and its user logs in with a browser",
    examples: [
      "mcp-doorman https://upstream.example.com/mcp",
      "mcp-doorman --oidc-issuer-url https://idp.example.com --oidc-client-id my-client https://upstream.example.com/mcp",
      "mcp-doorman --header 'X-API-Key: ${KEY}' https://upstream.example.com/mcp",
    ],
    often: ["issuerUrl", "clientId", "oidcScopes", "redirectUrl", "headers", "openBrowser", "profile"],
  },
  http: {
    title: "HTTP MODE: clients reach it by URL, and users log in at an identity provider",
    examples: [
      "mcp-doorman --transport http --proxy-base-url https://mcp.example.com --inbound-auth-provider oidc \\",
      "  --oidc-issuer-url https://idp.example.com --oidc-client-id doorman https://upstream.example.com/mcp",
      "mcp-doorman --transport http --proxy-base-url https://mcp.example.com --inbound-auth-provider google \\",
      '  --oidc-client-id id.apps.googleusercontent.com --oidc-client-secret "$SECRET" --allow-domains example.com \\',
      '  --outbound-auth static --outbound-header-value "Bearer $KEY" https://upstream.example.com/mcp',
    ],
    often: ["baseUrl", "inbound", "issuerUrl", "clientId", "clientSecret", "allowEmails", "allowGroups"]
      .concat("outboundAuth", "audience", "host", "port", "redisUrl"),
  },
  both: {
    title: "BOTH MODES",
    examples: [],
    often: ["envFile", "debug", "silent", "caFile", "httpProxy"],
  },
};

const order = ["stdio", "http", "both"] as const;

/** The help text. `topic` is a command or a mode; `short`: what most people need. @throws UserError for another topic */
export function help({ topic, short = false }: { topic?: string; short?: boolean } = {}): string {
  if (topic === undefined) return short ? shortHelp() : wholeHelp();
  if (Object.hasOwn(commands, topic)) return commandHelp(topic);
  if (topic === "stdio" || topic === "http") {
    return [...modeHelp(topic), ...modeHelp("both"), "", ...remarks].join("\n").trimStart();
  }
  throw new UserError(`Cannot show help for "${topic}": there is no such command or mode`, {
    hint: `Commands: ${Object.keys(commands).join(", ")}. Modes: stdio, http.`,
    exitCode: 2,
  });
}

/** Whether `help()` knows it. */
export function isTopic(word: string): boolean {
  return word === "stdio" || word === "http" || Object.hasOwn(commands, word);
}

const claim = "mcp-doorman stands at the door of an MCP server and does the OAuth for it, or for its client.";

const remarks = [
  "Every option has a variable as well, given in brackets; options win. Secrets can also be read from a file whose",
  "name is in <VARIABLE>_FILE. Durations: 90s, 1h30m or plain seconds. Switches: --name, --no-name, --name=false.",
];

function commandHelp(name: string): string {
  const { usage, summary, flags } = commands[name] ?? { usage: "", summary: "", flags: {} };
  return [
    `mcp-doorman ${name} ${usage}`.trimEnd(),
    "",
    `${summary}.`,
    ...(Object.keys(flags).length === 0 ? [] : [""]),
    ...Object.entries(flags).map(([flag, { value, help }]) =>
      row(value === undefined ? `--${flag}` : `--${flag} ${value}`, help)
    ),
    "",
    "The options of the program can be given as well; see mcp-doorman --help.",
  ].join("\n");
}

function wholeHelp(): string {
  const rest = order.flatMap((mode) => modeHelp(mode));
  return [claim, ...commandRows(), ...rest, "", ...remarks].join("\n");
}

function shortHelp(): string {
  const rest = order.flatMap((mode) => {
    const rows = modes[mode].often.map((key) => entries.find(([known]) => known === key)?.[1])
      .filter((setting) => setting !== undefined).map(shortRow);
    return [...heading(mode), ...rows];
  });
  return [
    claim,
    ...commandRows(),
    ...rest,
    "",
    "There is more: mcp-doorman --help shows every option, mcp-doorman help stdio or http those of one mode.",
  ].join("\n");
}

function heading(mode: SettingMode): string[] {
  const { title, examples } = modes[mode];
  return ["", title, "", ...examples.map((line) => `  ${line}`), ...(examples.length === 0 ? [] : [""])];
}

function commandRows(): string[] {
  return [
    "",
    row("mcp-doorman [options] <upstream-url>", "Run; --transport stdio (default) or http"),
    ...Object.entries(commands).map(([name, { summary }]) => row(`mcp-doorman ${name}`, summary)),
    row("mcp-doorman help <command>", "Show the options of one command"),
    row("mcp-doorman --check-config [options]", "Say what is wrong with the configuration, start nothing"),
    row("mcp-doorman --version", "Show version, commit, date, builder, runtime and project"),
  ];
}

/** A mode's settings by heading, its own headings first. */
function modeHelp(mode: SettingMode): string[] {
  const own = entries.map(([, setting]) => setting).filter((setting) => setting.mode === mode);
  const groups = [...new Set(own.map(({ group }) => group))]
    .sort((a, b) => Number(b.endsWith("mode)")) - Number(a.endsWith("mode)")));
  return [
    ...heading(mode),
    ...groups.flatMap((group, at) => [
      ...(at === 0 ? [] : [""]),
      `${group.replace(/ \(\w+ mode\)$/, "")}:`,
      ...own.filter((setting) => setting.group === group).map(settingRow),
    ]),
  ];
}
