/** How a person adds the connector to each client. */

/** One client's way. */
export interface Way {
  readonly client: string;
  /** What to do; a sentence. */
  readonly say: string;
  /** What to paste, if it is not the address. */
  readonly copy?: string;
}

/** A name that every client takes, made from the host. */
export function entryName(resource: string): string {
  const host = new URL(resource).hostname.replace(/^(mcp|www)\./, "");
  return host.replaceAll(/[^A-Za-z0-9-]+/g, "-").replace(/^-|-$/g, "") || "mcp";
}

/** The ways, for the connector at this address. */
export function waysToConnect(resource: string): readonly Way[] {
  const name = entryName(resource);
  const json = (value: unknown) => JSON.stringify(value, null, 2);
  return [
    { client: "Claude", say: "Settings, Connectors, Add custom connector; paste the address." },
    {
      client: "Claude Code",
      say: "Run this in a terminal, then /mcp in a session to log in.",
      copy: `claude mcp add --transport http ${name} ${resource}`,
    },
    {
      client: "ChatGPT",
      say: "Settings, Connectors, Advanced, Developer mode; create a connector with the address.",
    },
    {
      client: "Cursor",
      say: "Put this into ~/.cursor/mcp.json.",
      copy: json({ mcpServers: { [name]: { url: resource } } }),
    },
    {
      client: "VS Code",
      say: "Run this in a terminal.",
      copy: `code --add-mcp '${JSON.stringify({ name, type: "http", url: resource })}'`,
    },
    { client: "Codex", say: "Run this in a terminal.", copy: `codex mcp add ${name} --url ${resource}` },
    {
      client: "Gemini CLI",
      say: "Run this in a terminal.",
      copy: `gemini mcp add --transport http ${name} ${resource}`,
    },
    {
      client: "Windsurf",
      say: "Put this into ~/.codeium/windsurf/mcp_config.json.",
      copy: json({ mcpServers: { [name]: { serverUrl: resource } } }),
    },
  ];
}
