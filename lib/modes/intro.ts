import { safeUrl } from "../base/log.ts";
import type { StdioConfig } from "../stdio/config.ts";

/**
 * What a person sees who starts the program in a terminal, where no MCP client is there to talk to it: what it is and
 * the three commands that a person wants next.
 */
export function intro(config: StdioConfig | undefined): string {
  const url = config === undefined ? "https://upstream.example.com/mcp" : safeUrl(config.upstreamUrl);
  const first = config === undefined
    ? [
      "mcp-doorman stands at the door of an MCP server and does the OAuth for it, or for its client.",
      "Started without an upstream in a terminal, it has nothing to do.",
    ]
    : [
      `mcp-doorman carries messages between an MCP client and ${url}, and logs its user in.`,
      "An MCP client starts it and talks to it on stdin; this is a terminal, so you may want one of these:",
    ];
  return [
    ...first,
    "",
    "  Let a client start it (cursor, vscode, codex, claude-desktop, windsurf, gemini as well):",
    `    mcp-doorman install claude-code ${url}`,
    "",
    "  Log in now, so that the client need not wait:",
    `    mcp-doorman login ${url}`,
    "",
    "  Find out what the server wants, and whether it works:",
    `    mcp-doorman doctor ${url}`,
    "",
    "mcp-doorman -h shows the rest; with --transport stdio it runs here all the same.",
  ].join("\n");
}
