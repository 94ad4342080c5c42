/** The published mcp-remote, run as a host runs it, with a scripted browser in place of the user's. */
// @ts-types="@modelcontextprotocol/sdk/client/index"
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
// @ts-types="@modelcontextprotocol/sdk/client/stdio"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import type { Browser } from "./browser.ts";
import { baseEnv, packageEnv } from "./process.ts";

const version = "0.15.1";

export interface McpRemote extends AsyncDisposable {
  readonly client: Client;
  /** Lines of its log so far. */
  readonly stderr: string[];
  /** How often the user was asked to log in. */
  readonly logins: number;
}

/** Connects through mcp-remote; `home` keeps its registration and tokens from one run to the next. */
export async function connectMcpRemote(
  mcpUrl: string,
  options: { browser: Browser; home: string; callbackPort?: number },
): Promise<McpRemote> {
  const { browser, home, callbackPort = anyCallbackPort() } = options;
  const transport = new StdioClientTransport({
    command: Deno.execPath(),
    args: [
      ...["run", "-A", "--quiet", "--no-config", "--no-lock", `npm:mcp-remote@${version}`],
      ...[mcpUrl, `${callbackPort}`, "--allow-http"],
    ],
    // Without a PATH it finds no program that would open a real browser.
    env: { ...baseEnv(home), ...packageEnv(), PATH: "", MCP_REMOTE_CONFIG_DIR: `${home}/mcp-auth` },
    cwd: home,
    stderr: "pipe",
  });
  const stderr: string[] = [];
  let logins = 0;
  let failure: Error | undefined;
  transport.stderr?.on("data", (data: Uint8Array) => {
    const text = new TextDecoder().decode(data);
    stderr.push(text);
    const url = /^\s*(https?:\/\/\S+[?&]redirect_uri=\S+)\s*$/m.exec(text)?.[1];
    if (url === undefined) return;
    logins++;
    logIn(browser, url).catch((error) => failure = error);
  });
  const client = new Client({ name: "host", version: "1.0.0" });
  try {
    await client.connect(transport, { timeout: 45_000 });
  } catch (error) {
    await client.close();
    throw new Error(`mcp-remote did not connect:\n${stderr.join("")}`, { cause: failure ?? error });
  }
  return {
    client,
    stderr,
    get logins() {
      return logins;
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** Give the same one again with the same `home`: with another it registers anew. */
export function anyCallbackPort(): number {
  // Of a port that the system would hand out by itself, somebody else may already be the owner.
  return 20_000 + Math.floor(Math.random() * 9_000);
}

async function logIn(browser: Browser, url: string): Promise<void> {
  const redirectUri = new URL(url).searchParams.get("redirect_uri") ?? "";
  const end = await browser.authorize(url, redirectUri);
  // It says where to log in before it listens for the answer.
  for (let attempt = 0; attempt < 100; attempt++) {
    const answer = await fetch(end).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`Nobody listens at ${end.origin}`);
}
