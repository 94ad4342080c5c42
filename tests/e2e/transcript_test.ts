/** The SDKs' clients say and hear through http mode, message by message, what they say and hear without it. */
import assert from "node:assert/strict";
import { StreamableHTTPClientTransport as HttpV2 } from "@modelcontextprotocol/client";
// @ts-types="@modelcontextprotocol/sdk/client/stdio"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
// @ts-types="@modelcontextprotocol/sdk/client/streamableHttp"
import { StreamableHTTPClientTransport as HttpV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { startIdp } from "../fakes/idp.ts";
import { unusedPort } from "../fakes/raw_upstream.ts";
import { startUpstream } from "../fakes/upstream.ts";
import {
  type AnyClient,
  clientV1,
  clientV2,
  common,
  session,
  type Step,
  transcriptOf,
} from "../support/feature_script.ts";
import { startHttpMode } from "../support/http_mode.ts";
import { logIn } from "../support/oauth_client.ts";
import { baseEnv, packageEnv } from "../support/process.ts";
import type { AnyTransport } from "../support/pump_transport.ts";

const config = new URL("../../deno.json", import.meta.url).pathname;

/** A fixture's command line. */
function program(path: string, ...args: string[]): string[] {
  return [Deno.execPath(), "run", "-A", "--config", config, new URL(path, import.meta.url).pathname, ...args];
}

function quoted(command: readonly string[]): string {
  return command.map((word) => `'${word}'`).join(" ");
}

const overHttp = {
  v1: (url: string, token?: string) => new HttpV1(new URL(url), withToken(token)) as unknown as AnyTransport,
  v2: (url: string, token?: string) => new HttpV2(new URL(url), withToken(token)) as unknown as AnyTransport,
};

function withToken(token: string | undefined) {
  return token === undefined ? {} : { requestInit: { headers: { authorization: `Bearer ${token}` } } };
}

/** What a client hears at http mode in front of `upstreamUrl`, or of the child that `env` names, logged in as alice. */
async function throughHttpMode(
  behind: { upstreamUrl: string } | { env: Record<string, string> },
  client: AnyClient,
  transport: (url: string, token: string) => AnyTransport,
  steps: readonly Step[],
): Promise<string[]> {
  await using idp = await startIdp({ users: { alice: {} } });
  await using http = await startHttpMode({ idp, ...behind });
  const { tokens } = await logIn(http.mcpUrl, { user: "alice" });
  const transcript = await transcriptOf(client, transport(http.mcpUrl, tokens.access_token), steps);
  // Killed, it would leave the child that it started.
  await http.stop();
  return transcript.lines();
}

for (const json of [false, true]) {
  // With JSON answers a server of version 1 has no way to say anything while a call runs.
  const steps = json
    ? session.filter(([name]) => !["sampling", "elicitation", "logs", "progress"].includes(name))
    : session;
  for (const [version, make] of [["v1", clientV1], ["v2", () => clientV2(false)]] as const) {
    const answers = json ? "JSON" : "event streams";
    Deno.test(`${version} client, stateful server, ${answers}: the same transcript`, async () => {
      await using direct = startUpstream({ json, eras: "legacy" });
      const expected = await transcriptOf(make(), overHttp[version](direct.url), steps);
      await using upstream = startUpstream({ json, eras: "legacy" });

      const heard = await throughHttpMode({ upstreamUrl: upstream.url }, make(), overHttp[version], steps);

      assert.deepEqual(heard, expected.lines());
      assert.ok(expected.count() >= 50, `${expected.count()} messages`);
    });
  }
}

Deno.test("v2 client, v2 server, revision 2026-07-28: the same transcript", async () => {
  await using direct = startUpstream({ eras: "modern" });
  const expected = await transcriptOf(clientV2(true), overHttp.v2(direct.url), common);
  await using upstream = startUpstream({ eras: "modern" });

  const heard = await throughHttpMode({ upstreamUrl: upstream.url }, clientV2(true), overHttp.v2, common);

  assert.deepEqual(heard, expected.lines());
  assert.ok(expected.count() >= 25, `${expected.count()} messages`);
});

Deno.test("a server over HTTP that http mode starts itself: the same transcript", async () => {
  await using direct = startUpstream({ eras: "legacy", name: "spawned" });
  const expected = await transcriptOf(clientV1(), overHttp.v1(direct.url), session);
  const port = unusedPort();
  const env = {
    MCP_SPAWN_CMD: quoted(program("./spawned_server.ts", "--port", `${port}`)),
    MCP_SPAWN_PORT: `${port}`,
  };

  const heard = await throughHttpMode({ env }, clientV1(), overHttp.v1, session);

  assert.deepEqual(heard, expected.lines());
});

Deno.test("a server that speaks only stdio: the same transcript as over stdio directly", async () => {
  const command = program("../upstream/stdio_child/server.ts");
  const direct = new StdioClientTransport({
    command: command[0] ?? "",
    args: command.slice(1),
    env: { ...baseEnv(Deno.env.get("HOME") ?? "/"), ...packageEnv() },
    stderr: "ignore",
  });
  const expected = await transcriptOf(clientV1(), direct as unknown as AnyTransport, session);
  const env = { MCP_SPAWN_STDIO: quoted(command) };

  const heard = await throughHttpMode({ env }, clientV1(), overHttp.v1, session);

  assert.deepEqual(heard, expected.lines());
  assert.ok(expected.count() >= 60, `${expected.count()} messages`);
});
