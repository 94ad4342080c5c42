/** `--help`: commands, settings by heading, examples; made from the tables that the program itself reads. */
import type { Setting } from "../base/setting.ts";
import { entries } from "../config/table.ts";
import { commands } from "./list.ts";

/** The help text; of one command when it is named. */
export function help(topic?: string): string {
  const command = topic !== undefined && Object.hasOwn(commands, topic) ? commands[topic] : undefined;
  if (topic !== undefined && command !== undefined) {
    const own = Object.entries(command.flags).map(([name, flag]) =>
      row(`--${name}${flag.value === undefined ? "" : ` ${flag.value}`}`, flag.help)
    );
    return [`mcp-doorman ${topic} ${command.usage}`.trim(), "", command.summary, "", ...own].join("\n")
      .trim();
  }
  const groups = [...new Set(entries.map(([, { group }]) => group))];
  return [
    "mcp-doorman stands at the door of an MCP server and does the OAuth for it, or for its client.",
    "",
    "  mcp-doorman [options] [upstream-url]             run; --transport stdio (default) or http",
    ...Object.entries(commands).map(([name, { usage, summary }]) =>
      row(`mcp-doorman ${name} ${usage}`.trimEnd(), summary)
    ),
    "  mcp-doorman --help | --version | --check-config",
    "",
    "Examples",
    ...examples,
    ...groups.flatMap((group) => ["", group, ...settingRows(group)]),
    "",
    "Every option has a variable as well, given in brackets; options win. Secrets can also be read from a file",
    "whose name is in <VARIABLE>_FILE.",
  ].join("\n");
}

const examples = [
  "  Log a user in and carry messages, as an MCP client starts it:",
  "    mcp-doorman https://upstream.example.com/mcp",
  "  Serve any MCP client by URL, with logins at an identity provider:",
  "    mcp-doorman --transport http --proxy-base-url https://mcp.example.com \\",
  "      --inbound-auth-provider oidc --oidc-issuer-url https://idp.example.com \\",
  "      --oidc-client-id doorman https://upstream.example.com/mcp",
];

function settingRows(group: string): string[] {
  return entries.filter(([, setting]) => setting.group === group).map(([, setting]) => {
    const { flag, env, kind } = setting;
    const left = flag === undefined
      ? `${env}`
      : `--${flag}${kind.placeholder === "" ? "" : ` ${kind.placeholder}`}`;
    return row(left, `${setting.help}${env === undefined ? "" : ` [${env}]`}${defaultNote(setting)}`);
  });
}

function defaultNote(setting: Setting): string {
  const text = setting.defaultText;
  return text === undefined ? "" : ` (default: ${text})`;
}

function row(left: string, right: string): string {
  const indent = " ".repeat(38);
  const words = right.split(" ");
  const lines: string[] = [];
  let line = "";
  for (const word of words) {
    if (line !== "" && line.length + word.length + 1 > 80) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  const head = left.length < 36 ? `  ${left.padEnd(36)}` : `  ${left}\n${indent}`;
  return head + lines.join(`\n${indent}`);
}
