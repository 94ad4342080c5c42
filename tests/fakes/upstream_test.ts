import assert from "node:assert/strict";
// @ts-types="@modelcontextprotocol/sdk/client/index"
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
// @ts-types="@modelcontextprotocol/sdk/client/streamableHttp"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
  Client as ClientV2,
  StreamableHTTPClientTransport as TransportV2,
} from "@modelcontextprotocol/client";
import { startUpstream } from "./upstream.ts";

Deno.test("the test upstream serves the version 1 client in a session, with progress", async () => {
  await using upstream = startUpstream();
  const client = new Client({ name: "t", version: "1" });
  await client.connect(new StreamableHTTPClientTransport(new URL(upstream.url)));
  const steps: number[] = [];

  const result = await client.callTool({ name: "slow", arguments: { steps: 3 } }, undefined, {
    onprogress: (progress) => steps.push(progress.progress),
  });

  assert.deepEqual(result.content, [{ type: "text", text: "done in 3 steps" }]);
  assert.deepEqual(steps, [1, 2, 3]);
  assert.equal(upstream.sessions.size, 1);
  assert.equal((await client.listTools()).tools.length, 10);
  assert.equal((await client.listPrompts()).prompts[0]?.name, "greet");
  await client.close();
});

Deno.test("the test upstream serves the version 2 client without a session", async () => {
  await using upstream = startUpstream({ eras: "modern" });
  const client = new ClientV2({ name: "t", version: "1" }, { versionNegotiation: { mode: "auto" } });
  await client.connect(new TransportV2(new URL(upstream.url)));

  const result = await client.callTool({ name: "echo", arguments: { text: "hi" } });

  assert.deepEqual(result.content, [{ type: "text", text: "hi" }]);
  assert.equal(upstream.sessions.size, 0);
  assert.equal(upstream.last("tools/call")?.headers.get("mcp-method"), "tools/call");
  await client.close();
});
