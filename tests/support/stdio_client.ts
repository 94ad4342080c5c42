/** The SDKs' stdio clients, started on mcp-doorman as a host starts it; `BROWSER` is a scripted browser. */
import { fileURLToPath } from "node:url";
import { Client as ClientV2 } from "@modelcontextprotocol/client";
import { StdioClientTransport as TransportV2 } from "@modelcontextprotocol/client/stdio";
// @ts-types="@modelcontextprotocol/sdk/client/index"
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
// @ts-types="@modelcontextprotocol/sdk/client/stdio"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { textLines } from "./lines.ts";
import { baseEnv, doormanCommand, talkative } from "./process.ts";
import { assertNothingShown, keepSettings } from "./secrets.ts";

export interface StdioOptions {
  /** Arguments of mcp-doorman; by default only the upstream's URL. */
  args?: readonly string[];
  upstreamUrl: string;
  env: Record<string, string>;
  home: string;
  /** Who logs in; absent: nobody opens the URL. */
  user?: string;
  client?: Client;
}

export interface StdioSession<C> extends AsyncDisposable {
  readonly client: C;
  readonly pid: number;
  /** Lines of stderr so far. */
  readonly stderr: string[];
  /** Login URLs that were printed so far. */
  readonly logins: string[];
}

/** Connects the version 1 client. */
export function connectStdioV1(options: StdioOptions): Promise<StdioSession<Client>> {
  const transport = new StdioClientTransport(parameters(options));
  return connect(options.client ?? new Client({ name: "sdk-v1", version: "1.0.0" }), transport);
}

/** Connects the version 2 client, which speaks the stateless revision where it can. */
export function connectStdioV2(options: StdioOptions): Promise<StdioSession<ClientV2>> {
  const transport = new TransportV2(parameters(options));
  const client = new ClientV2({ name: "sdk-v2", version: "1.0.0" }, { versionNegotiation: { mode: "auto" } });
  return connect(client, transport);
}

function parameters(options: StdioOptions) {
  const { command, args } = doormanCommand();
  keepSettings(options.args ?? [], options.env);
  return {
    command,
    args: [...args, ...(options.args ?? []), options.upstreamUrl],
    env: {
      ...baseEnv(options.home),
      ...talkative,
      ...(options.user === undefined ? { OPEN_BROWSER: "false" } : { BROWSER: browserFor(options.user) }),
      ...options.env,
    },
    cwd: options.home,
    stderr: "pipe" as const,
  };
}

/** A value for `BROWSER` that logs this user in. */
export function browserFor(user: string): string {
  const opener = fileURLToPath(new URL("./opener.ts", import.meta.url));
  return `${Deno.execPath()} run -A --no-config --no-lock ${opener} ${user}`;
}

interface Connectable<T> {
  connect(transport: T, options?: { timeout?: number }): Promise<void>;
  close(): Promise<void>;
}

async function connect<T extends { stderr: unknown; pid: number | null }, C extends Connectable<T>>(
  client: C,
  transport: T,
): Promise<StdioSession<C>> {
  const stderr: string[] = [];
  const logins: string[] = [];
  const reading = (async () => {
    const bytes = ReadableStream.from(transport.stderr as AsyncIterable<Uint8Array<ArrayBuffer>>);
    for await (const line of bytes.pipeThrough(textLines())) {
      stderr.push(line);
      const url = /https?:\/\/\S+\/auth\?[^\s"]+/.exec(line)?.[0];
      if (url === undefined || logins.includes(url)) continue;
      logins.push(url);
    }
  })().catch((error) => void stderr.push(`(cut off) ${error}`));
  try {
    await client.connect(transport, { timeout: 30_000 });
  } catch (error) {
    await client.close();
    throw new Error(`Not connected: ${error}\n${stderr.join("\n")}`, { cause: error });
  }
  return {
    client,
    pid: transport.pid ?? 0,
    stderr,
    logins,
    async [Symbol.asyncDispose]() {
      await client.close();
      await reading;
      assertNothingShown("stderr", stderr.join("\n"));
    },
  };
}
