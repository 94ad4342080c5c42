/** `--help`: commands, examples and settings by heading; made from the tables that the program itself reads. */
import type { Setting } from "../base/setting.ts";
import { shownDefault, shownFlag } from "../config/shown.ts";
import { entries } from "../config/table.ts";
import { commands } from "./list.ts";

/** The help text; of one command when it is named. */
export function help(topic?: string): string {
  const command = topic !== undefined && Object.hasOwn(commands, topic) ? commands[topic] : undefined;
  return topic !== undefined && command !== undefined ? commandHelp(topic) : programHelp();
}

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

function programHelp(): string {
  const groups = [...new Set(entries.map(([, { group }]) => group))];
  const order = ({ mode }: Setting) => ["both", "stdio", "http"].indexOf(mode);
  const rank = (group: string) =>
    Math.min(
      ...entries.filter(([, setting]) => setting.group === group).map(([, setting]) => order(setting)),
    );
  return [
    "mcp-doorman stands at the door of an MCP server and does the OAuth for it, or for its client.",
    "",
    row("mcp-doorman [options] [upstream-url]", "Run; --transport stdio (default) or http"),
    ...Object.entries(commands).map(([name, { usage, summary }]) =>
      row(`mcp-doorman ${name} ${usage}`.trimEnd(), summary)
    ),
    row("mcp-doorman help <command>", "Show the options of one command"),
    row(
      "mcp-doorman --check-config [options]",
      "Say what is wrong with the configuration, and start nothing",
    ),
    row("mcp-doorman --version", "Show version, commit, date, builder, runtime and project"),
    "",
    ...examples,
    ...groups.sort((a, b) => rank(a) - rank(b)).flatMap((group) => ["", `${group}:`, ...settingRows(group)]),
    "",
    "Every option has a variable as well, given in brackets; options win. Secrets can also be read from a file whose",
    "name is in <VARIABLE>_FILE. Durations: 90s, 1h30m or plain seconds. Switches: --name, --no-name, --name=false.",
  ].join("\n");
}

const examples = [
  "stdio mode, as an MCP client starts it; the user logs in with a browser:",
  "  mcp-doorman https://upstream.example.com/mcp",
  "  mcp-doorman --oidc-issuer-url https://idp.example.com --oidc-client-id my-client https://upstream.example.com/mcp",
  "  mcp-doorman --header 'X-API-Key:${KEY}' https://upstream.example.com/mcp",
  "http mode, which clients reach by URL; users log in at an identity provider:",
  "  mcp-doorman --transport http --proxy-base-url https://mcp.example.com --inbound-auth-provider oidc \\",
  "    --oidc-issuer-url https://idp.example.com --oidc-client-id doorman https://upstream.example.com/mcp",
];

function settingRows(group: string): string[] {
  return entries.filter(([, setting]) => setting.group === group).map(([, setting]) => {
    const byDefault = shownDefault(setting);
    const notes = [
      setting.env === undefined ? "" : ` [${setting.env}]`,
      byDefault === undefined || byDefault === "false" ? "" : ` (default: ${byDefault})`,
    ];
    return row(shownFlag(setting) ?? "", setting.help + notes.join(""));
  });
}

const column = 38;
const width = 82;

/** A name and what it means, the latter wrapped into its column. */
function row(left: string, right: string): string {
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
