/**
 * The host that the conformance suite starts as "the client under test": the SDK's own client over stdio, with
 * mcp-doorman between it and the suite's server. Arguments: the server's URL. What is to be done follows from the
 * suite's variables.
 */
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { doormanSettings } from "./settings.ts";

type Transport = Parameters<Client["connect"]>[0];
type Message = Parameters<Transport["send"]>[0];

const scenario = Deno.env.get("MCP_CONFORMANCE_SCENARIO") ?? "";
const modern = Deno.env.get("MCP_CONFORMANCE_PROTOCOL_VERSION") === "2026-07-28";
const context = JSON.parse(Deno.env.get("MCP_CONFORMANCE_CONTEXT") ?? "{}");
const serverUrl = Deno.args.at(-1) ?? "";

/** Servers of these scenarios know neither `server/discover` nor a usable `initialize`; the host makes one up. */
const withoutDiscover = new Set([
  "http-standard-headers",
  "http-custom-headers",
  "http-invalid-tool-headers",
  "sep-2322-client-request-state",
  "json-schema-ref-no-deref",
  "json-schema-2020-12-preservation",
]);

/** Answers `server/discover` in the host itself; everything else goes through. */
function answeringDiscover(transport: Transport): Transport {
  const send = transport.send.bind(transport);
  transport.send = (message: Message, options) => {
    if (!("method" in message) || message.method !== "server/discover" || !("id" in message)) {
      return send(message, options);
    }
    const result = {
      resultType: "complete",
      supportedVersions: ["2026-07-28"],
      capabilities: { tools: { listChanged: true }, resources: {}, prompts: {} },
      ttlMs: 0,
      cacheScope: "private",
      _meta: { "io.modelcontextprotocol/serverInfo": { name: "conformance", version: "1" } },
    };
    queueMicrotask(() => transport.onmessage?.({ jsonrpc: "2.0", id: message.id, result }));
    return Promise.resolve();
  };
  return transport;
}

async function run(client: Client): Promise<void> {
  const call = (name: string, args: Record<string, unknown> = {}) =>
    client.callTool({ name, arguments: args });
  switch (scenario) {
    case "request-metadata":
      return;
    case "http-standard-headers": {
      const [tool] = (await client.listTools()).tools;
      if (tool !== undefined) await call(tool.name);
      const [resource] = (await client.listResources()).resources;
      if (resource !== undefined) await client.readResource({ uri: resource.uri });
      const [prompt] = (await client.listPrompts()).prompts;
      if (prompt !== undefined) await client.getPrompt({ name: prompt.name, arguments: {} });
      return;
    }
    case "http-custom-headers":
      await client.listTools();
      for (const { name, arguments: args } of context.toolCalls ?? []) await call(name, args);
      return;
    case "sep-2322-client-request-state":
      await call("test_mrtr_echo_state");
      await call("test_mrtr_no_state");
      await call("test_mrtr_unrelated");
      // The SDK refuses a result without its type; what counts is that nothing is sent again.
      await call("test_mrtr_no_result_type").catch(() => {});
      return;
    case "json-schema-2020-12-preservation": {
      const { tools } = await client.listTools();
      const schema = tools.find(({ name }) => name === "json_schema_2020_12_tool")?.inputSchema;
      await call("json_schema_echo", { schema });
      return;
    }
    case "initialize":
    case "json-schema-ref-no-deref":
      await client.listTools();
      return;
  }
  const { tools } = await client.listTools();
  for (const tool of tools) {
    const args = tool.name === "add_numbers" ? { a: 5, b: 3 } : { region: "us-west1" };
    const called = call(tool.name, Object.keys(tool.inputSchema.properties ?? {}).length > 0 ? args : {});
    await (scenario === "http-invalid-tool-headers" ? called.catch(() => {}) : called);
  }
}

/** The suite does not end what its client has started. */
Deno.unrefTimer(setTimeout(() => Deno.exit(1), 60_000));

const settings = await doormanSettings(scenario, context);
const client = new Client({ name: "conformance-host", version: "1.0.0" }, {
  capabilities: scenario.startsWith("elicitation")
    ? { elicitation: { form: { applyDefaults: true } } }
    : scenario === "request-metadata"
    ? { roots: { listChanged: true }, sampling: {}, elicitation: {} }
    : scenario === "sep-2322-client-request-state"
    ? { elicitation: {} }
    : {},
  ...(modern ? { versionNegotiation: { mode: "auto" as const } } : {}),
});
if (scenario.startsWith("elicitation") || scenario === "sep-2322-client-request-state") {
  client.setRequestHandler("elicitation/create", () => ({
    action: "accept",
    content: scenario.startsWith("elicitation") ? {} : { confirmed: true },
  }));
}
const [command = "", ...args] = settings.command;
const transport = new StdioClientTransport({
  command,
  args: [...args, serverUrl],
  env: settings.env,
  stderr: "inherit",
});
try {
  await client.connect(withoutDiscover.has(scenario) ? answeringDiscover(transport) : transport);
  await run(client);
  await client.close();
} catch (error) {
  console.error(`${scenario}: ${error instanceof Error ? error.message : error}`);
  await client.close().catch(() => {});
  Deno.exitCode = 1;
} finally {
  await settings[Symbol.asyncDispose]();
}
