/** The same two ways with the TypeScript SDK's client, which is what most hosts are made of. */
// @ts-types="@modelcontextprotocol/sdk/client/index"
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
// @ts-types="@modelcontextprotocol/sdk/client/stdio"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
// @ts-types="@modelcontextprotocol/sdk/client/streamableHttp"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { RpcClient, Target } from "./clients.ts";

/** The SDK's client over HTTP. */
export function sdkHttpClient({ url }: Target): RpcClient {
  const requestInit = { headers: { authorization: "Bearer of-the-direct-client" } };
  return sdkClient(new StreamableHTTPClientTransport(new URL(url), { requestInit }) as never);
}

/** The SDK's client over the stdin and stdout of the command. */
export function sdkStdioClient({ command, env }: Target): RpcClient {
  const [program = "", ...args] = command;
  const transport = new StdioClientTransport({ command: program, args, env: { ...env }, stderr: "inherit" });
  const client = sdkClient(transport as never);
  return {
    ...client,
    get pid() {
      return transport.pid ?? undefined;
    },
  };
}

function sdkClient(transport: never): RpcClient {
  const client = new Client({ name: "bench", version: "1" }, { capabilities: {} });
  return {
    initialize: () => client.connect(transport),
    call: (name, args) => client.callTool({ name, arguments: args }),
    close: () => client.close(),
  };
}
