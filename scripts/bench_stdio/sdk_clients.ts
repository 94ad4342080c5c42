/** The same two ways with the TypeScript SDK's client, which is what most hosts are made of. */
// @ts-types="@modelcontextprotocol/sdk/client/index"
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
// @ts-types="@modelcontextprotocol/sdk/client/stdio"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
// @ts-types="@modelcontextprotocol/sdk/client/streamableHttp"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { RpcClient } from "./clients.ts";

const make = () => new Client({ name: "bench", version: "1" }, { capabilities: {} });

/** The SDK's client over HTTP. */
export function sdkDirectClient(url: string): RpcClient {
  const client = make();
  return {
    initialize: () => client.connect(new StreamableHTTPClientTransport(new URL(url)) as never),
    call: (name, args) => client.callTool({ name, arguments: args as Record<string, unknown> }),
    close: () => client.close(),
  };
}

/** The SDK's client over the stdin and stdout of `command`. */
export function sdkPumpClient(command: readonly string[], url: string, home: string): RpcClient {
  const client = make();
  const [program = "", ...args] = command;
  const env = {
    HOME: home,
    PATH: Deno.env.get("PATH") ?? "",
    DENO_DIR: Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`,
  };
  const transport = new StdioClientTransport({
    command: program,
    args: [...args, "--silent", "--no-banner", url],
    env,
    stderr: "ignore",
  });
  return {
    initialize: () => client.connect(transport as never),
    call: (name, args) => client.callTool({ name, arguments: args as Record<string, unknown> }),
    close: () => client.close(),
  };
}
