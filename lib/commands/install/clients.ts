/** The MCP clients that `install` knows: where each keeps its servers, and in which words. */

/** One server as a client is told of it. */
export type ServerEntry =
  | {
    readonly kind: "stdio";
    readonly command: string;
    readonly args: readonly string[];
    readonly env: Readonly<Record<string, string>>;
  }
  | { readonly kind: "http"; readonly url: string };

/** What the place of a file depends on. */
export interface Machine {
  readonly os: typeof Deno.build.os;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The working directory. */
  readonly cwd: string;
}

/** A client. */
export interface Client {
  readonly title: string;
  readonly format: "jsonc" | "toml";
  /** The member of the file that holds the servers. */
  readonly section: string;
  /** The user's file; `undefined` when no home folder is known. */
  userFile(machine: Machine): string | undefined;
  /** The file of a project, below its folder; absent: the client has none. */
  readonly projectFile?: string;
  /** The entry as the file has it; `undefined`: the file takes none of this kind. */
  entry(server: ServerEntry): Readonly<Record<string, unknown>> | undefined;
  /** What a person does instead where the file takes no http entry. */
  readonly clicks?: string;
  /** What to do for the change to be noticed. */
  readonly after: string;
}

function home({ os, env }: Machine): string | undefined {
  return (os === "windows" ? env.USERPROFILE ?? env.HOME : env.HOME) || undefined;
}

function below(base: string | undefined, ...names: string[]): string | undefined {
  return base === undefined ? undefined : [base.replace(/[/\\]+$/, ""), ...names].join("/");
}

/** The folder in which graphical programs keep their settings. */
function applicationData(machine: Machine): string | undefined {
  if (machine.os === "windows") return machine.env.APPDATA || below(home(machine), "AppData", "Roaming");
  if (machine.os === "darwin") return below(home(machine), "Library", "Application Support");
  return machine.env.XDG_CONFIG_HOME || below(home(machine), ".config");
}

function stdioEntry(server: ServerEntry & { kind: "stdio" }): Readonly<Record<string, unknown>> {
  const { command, args, env } = server;
  return Object.keys(env).length === 0 ? { command, args } : { command, args, env };
}

/** The words that most clients share; `urlMember` is what they call the address of an http server. */
function commonEntry(urlMember: string): Client["entry"] {
  return (server) => server.kind === "stdio" ? stdioEntry(server) : { [urlMember]: server.url };
}

/** The words of clients that name the kind. */
const typedEntry: Client["entry"] = (server) =>
  server.kind === "stdio" ? { type: "stdio", ...stdioEntry(server) } : { type: "http", url: server.url };

/** All clients, by the name that `install` takes. */
export const clients: Readonly<Record<string, Client>> = {
  "claude-desktop": {
    title: "Claude Desktop",
    format: "jsonc",
    section: "mcpServers",
    userFile: (machine) => below(applicationData(machine), "Claude", "claude_desktop_config.json"),
    entry: (server) => server.kind === "stdio" ? stdioEntry(server) : undefined,
    clicks: "In Claude Desktop (or on claude.ai): Settings, Connectors, Add custom connector; paste the URL",
    after: "Quit Claude Desktop and start it again",
  },
  "claude-code": {
    title: "Claude Code",
    format: "jsonc",
    section: "mcpServers",
    userFile: (machine) => below(machine.env.CLAUDE_CONFIG_DIR || home(machine), ".claude.json"),
    projectFile: ".mcp.json",
    entry: typedEntry,
    after: "Start a new session of Claude Code; /mcp shows the server",
  },
  "cursor": {
    title: "Cursor",
    format: "jsonc",
    section: "mcpServers",
    userFile: (machine) => below(home(machine), ".cursor", "mcp.json"),
    projectFile: ".cursor/mcp.json",
    entry: commonEntry("url"),
    after: "Switch the server on in Cursor's settings, under MCP",
  },
  "vscode": {
    title: "VS Code",
    format: "jsonc",
    section: "servers",
    userFile: (machine) => below(applicationData(machine), "Code", "User", "mcp.json"),
    projectFile: ".vscode/mcp.json",
    entry: typedEntry,
    after: "Run MCP: List Servers in VS Code and start the server",
  },
  "codex": {
    title: "Codex",
    format: "toml",
    section: "mcp_servers",
    userFile: (machine) => below(machine.env.CODEX_HOME || below(home(machine), ".codex"), "config.toml"),
    projectFile: ".codex/config.toml",
    entry: commonEntry("url"),
    after: "Start Codex again; for an http server run codex mcp login with the name",
  },
  "windsurf": {
    title: "Windsurf",
    format: "jsonc",
    section: "mcpServers",
    userFile: (machine) => below(home(machine), ".codeium", "windsurf", "mcp_config.json"),
    entry: commonEntry("serverUrl"),
    after: "Refresh the MCP servers in Windsurf's settings",
  },
  "gemini": {
    title: "Gemini CLI",
    format: "jsonc",
    section: "mcpServers",
    userFile: (machine) => below(home(machine), ".gemini", "settings.json"),
    projectFile: ".gemini/settings.json",
    entry: commonEntry("httpUrl"),
    after: "Start Gemini CLI again; /mcp shows the server",
  },
};

/** Other names under which people ask for a client. */
export const clientAliases: Readonly<Record<string, string>> = {
  "claude": "claude-code",
  "vs-code": "vscode",
  "code": "vscode",
  "gemini-cli": "gemini",
};
