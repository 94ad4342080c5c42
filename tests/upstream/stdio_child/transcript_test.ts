import assert from "node:assert/strict";
// @ts-types="@modelcontextprotocol/sdk/client/index"
import type { Client } from "@modelcontextprotocol/sdk/client/index.js";
// @ts-types="@modelcontextprotocol/sdk/client/stdio"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { startIdp } from "../../fakes/idp.ts";
import { unusedPort } from "../../fakes/raw_upstream.ts";
import { connectV1, connectV2 } from "../../support/mcp_client.ts";
import { baseEnv, packageEnv, startDoorman } from "../../support/process.ts";
import { onResourceUpdated, talkativeClient } from "../../support/talkative_client.ts";

const server = new URL("./server.ts", import.meta.url).pathname;
const config = new URL("../../../deno.json", import.meta.url).pathname;
const command = [Deno.execPath(), "run", "-A", "--config", config, server];

/** Uses every feature of the test server and says what came of it. */
async function script(client: Client): Promise<unknown[]> {
  const out: unknown[] = [];
  const changed = Promise.withResolvers<string>();
  onResourceUpdated(client, (uri) => changed.resolve(uri));
  const progress: unknown[] = [];
  out.push(client.getServerVersion(), client.getServerCapabilities(), client.getInstructions());
  out.push(await client.listTools(), await client.listResources(), await client.listResourceTemplates());
  out.push(await client.listPrompts(), await client.getPrompt({ name: "greet", arguments: { name: "bob" } }));
  out.push(await client.callTool({ name: "echo", arguments: { text: "ünï\n\u2028 cødé" } }));
  out.push(
    await client.callTool({ name: "slow", arguments: { steps: 4, delayMs: 100 } }, undefined, {
      onprogress: (step) => progress.push(step),
    }),
  );
  out.push(progress);
  out.push(await client.callTool({ name: "sample", arguments: { prompt: "hello" } }));
  out.push(await client.callTool({ name: "elicit" }));
  out.push(await client.callTool({ name: "fail" }));
  out.push(await client.callTool({ name: "big", arguments: { bytes: 300_000 } }));
  out.push(await client.subscribeResource({ uri: "note://one" }));
  out.push(await client.callTool({ name: "change" }), await changed.promise);
  out.push(await client.readResource({ uri: "note://two" }), await client.ping());
  out.push(
    await client.complete({
      ref: { type: "ref/prompt", name: "greet" },
      argument: { name: "name", value: "al" },
    }),
  );
  out.push(await client.setLoggingLevel("info"));
  out.push(await client.callTool({ name: "nowhere" }));
  const many = Array.from(
    { length: 12 },
    (_, n) => client.callTool({ name: "echo", arguments: { text: `${n}` } }),
  );
  out.push(await Promise.all(many));
  return out;
}

Deno.test("a server on stdio answers through http mode as it does directly, one for each user's session", async () => {
  const direct = talkativeClient();
  await direct.connect(
    new StdioClientTransport({
      command: command[0] ?? "",
      args: command.slice(1),
      env: { ...baseEnv(Deno.env.get("HOME") ?? "/"), ...packageEnv() },
      stderr: "ignore",
    }),
  );
  const expected = await script(direct);
  await direct.close();
  await using idp = await startIdp({ users: { alice: {}, bob: {} } });
  const port = unusedPort();
  const baseUrl = `http://localhost:${port}`;
  await idp.addRedirect(`${baseUrl}/auth/callback`);
  await using doorman = startDoorman([], {
    env: {
      MCP_PROXY_TRANSPORT: "http",
      MCP_PROXY_BASE_URL: baseUrl,
      LISTEN_ADDR: `127.0.0.1:${port}`,
      METRICS_ADDR: "off",
      INBOUND_AUTH_PROVIDER: "oidc",
      OIDC_ISSUER_URL: idp.issuer,
      OIDC_CLIENT_ID: idp.clientId,
      OIDC_CLIENT_SECRET: idp.clientSecret,
      MCP_SPAWN_STDIO: command.map((word) => `'${word}'`).join(" "),
    },
  });
  await doorman.line("stderr", /listening/);

  const alice = await connectV1(`${baseUrl}/mcp`, { user: "alice", client: talkativeClient() });
  const bob = await connectV2(`${baseUrl}/mcp`, { user: "bob" });
  assert.deepEqual(await script(alice.client), expected);
  const { tools } = await bob.client.listTools();
  assert.ok(tools.some(({ name }) => name === "echo"), "the stateless client falls back to a session");
  assert.equal(doorman.stderr.filter((line) => /upstream_started/.test(line)).length, 2);

  await alice.transport.terminateSession();
  await doorman.line("stderr", /upstream_ended/);
  await alice.client.close();
  await bob.client.close();
  doorman.signal("SIGTERM");
  assert.equal(await doorman.exited, 0);
  assert.equal(doorman.stderr.filter((line) => /upstream_ended/.test(line)).length, 2);
});
