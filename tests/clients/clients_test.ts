/**
 * Published clients against http mode: log in, call, refresh when the access token has grown old, and connect again
 * without a login.
 */
import assert from "node:assert/strict";
import { startIdp, type TestIdp } from "../fakes/idp.ts";
import { startUpstream } from "../fakes/upstream.ts";
import { type HttpMode, startHttpMode } from "../support/http_mode.ts";
import { connectV1, connectV2, memoryOAuth } from "../support/mcp_client.ts";
import { npmProgram, startOutside } from "./outside.ts";

const shortSec = 3;

/** The Python SDK cannot refresh after a restart once its token is old, so the restart must fit into its lifetime. */
const pythonSec = 20;

interface Stage extends AsyncDisposable {
  readonly http: HttpMode;
  readonly idp: TestIdp;
  readonly home: string;
  /** Events of http mode's log with this name. */
  events(name: string): number;
}

async function stage(
  options: { eras?: "both" | "legacy" | "modern"; accessTtl?: string } = {},
): Promise<Stage> {
  const idp = await startIdp();
  const upstream = startUpstream(options.eras === undefined ? {} : { eras: options.eras });
  const http = await startHttpMode({
    idp,
    upstreamUrl: upstream.url,
    env: { ACCESS_TOKEN_TTL: options.accessTtl ?? "1h" },
  });
  const home = await Deno.makeTempDir({ prefix: "doorman-client-" });
  return {
    http,
    idp,
    home,
    events: (name) => http.process.stderr.filter((line) => line.includes(`"msg":"${name}"`)).length,
    async [Symbol.asyncDispose]() {
      await http[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
      await idp[Symbol.asyncDispose]();
      await Deno.remove(home, { recursive: true });
    },
  };
}

const methods = ["none", "client_secret_post", "client_secret_basic"] as const;
const echo = { name: "echo", arguments: { text: "hello" } };
const old = "an-access-token-that-is-none";

for (const method of methods) {
  Deno.test(`the version 1 SDK with ${method} logs in, calls, refreshes and connects again`, async () => {
    await using on = await stage({ eras: "legacy" });
    const oauth = memoryOAuth();
    Object.assign(oauth.clientMetadata, { token_endpoint_auth_method: method });

    const first = await connectV1(on.http.mcpUrl, { oauth });
    await first.client.callTool(echo);
    Object.assign(oauth.saved["tokens"] as object, { access_token: old });
    await first.client.callTool(echo);
    await first.client.close();
    oauth.authorizationUrl = undefined;
    const second = await connectV1(on.http.mcpUrl, { oauth });
    await second.client.callTool(echo);
    await second.client.close();

    assert.equal(oauth.authorizationUrl, undefined);
    assert.equal((oauth.saved["client"] as Record<string, unknown>)["token_endpoint_auth_method"], method);
    assert.deepEqual([on.events("token_issued"), on.events("token_refreshed")], [1, 1]);
  });

  for (const eras of ["legacy", "modern"] as const) {
    Deno.test(`the version 2 SDK with ${method}, upstream ${eras}: logs in, calls, refreshes and connects again`, async () => {
      await using on = await stage({ eras });
      const oauth = memoryOAuth();
      Object.assign(oauth.clientMetadata, { token_endpoint_auth_method: method });

      const first = await connectV2(on.http.mcpUrl, { oauth });
      await first.client.callTool(echo);
      Object.assign(oauth.saved["tokens"] as object, { access_token: old });
      await first.client.callTool(echo);
      await first.client.close();
      oauth.authorizationUrl = undefined;
      const second = await connectV2(on.http.mcpUrl, { oauth });
      await second.client.callTool(echo);
      await second.client.close();

      assert.equal(oauth.authorizationUrl, undefined);
      assert.deepEqual([on.events("token_issued"), on.events("token_refreshed")], [1, 1]);
    });
  }
}

Deno.test("mcp-remote logs in, calls, refreshes and connects again", async () => {
  await using on = await stage({ accessTtl: `${shortSec}s` });
  const command = npmProgram("mcp-remote@0.15.1", [on.http.mcpUrl]);
  const initialize = {
    jsonrpc: "2.0",
    id: "i",
    method: "initialize",
    params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "host", version: "1" } },
  };
  const call = (id: string) => ({ jsonrpc: "2.0", id, method: "tools/call", params: echo });
  const converse = async (ids: readonly string[]) => {
    await using client = startOutside(command, { home: on.home });
    await client.write(JSON.stringify(initialize));
    await client.seen(/"id":"i"/);
    await client.write(JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" }));
    for (const [at, id] of ids.entries()) {
      if (at > 0) await new Promise((resolve) => setTimeout(resolve, shortSec * 1_000 + 200));
      await client.write(JSON.stringify(call(id)));
      const [line] = await client.seen(new RegExp(`\\{.*"id":"${id}".*\\}`));
      assert.match(line, /hello/);
    }
    return client.logins();
  };

  assert.equal(await converse(["a", "b"]), 1);
  assert.equal(await converse(["c"]), 0);
  assert.ok(on.events("token_refreshed") >= 1);
  assert.equal(on.events("token_issued"), 1);
});

Deno.test("the Inspector's CLI logs in, calls, refreshes, connects again, and begins anew when told to", async () => {
  await using on = await stage({ accessTtl: `${shortSec}s` });
  const run = async (...more: string[]) => {
    const server = [on.http.mcpUrl, "--transport", "http", "--method", "tools/call"];
    const tool = ["--tool-name", "echo", "--tool-arg", "text=hello"];
    const command = npmProgram("@modelcontextprotocol/inspector@2.12.0", [
      "--cli",
      ...server,
      ...tool,
      ...more,
    ]);
    const env = { MCP_AUTO_OPEN_ENABLED: "true", MCP_INSPECTOR_SECRET_STORE: "file" };
    await using client = startOutside(command, { home: on.home, env });
    assert.equal(await client.exited, 0, client.output());
    assert.match(client.output(), /hello/);
    return client.logins();
  };

  assert.equal(await run(), 1);
  await new Promise((resolve) => setTimeout(resolve, shortSec * 1_000 + 200));
  assert.equal(await run("--stored-auth-only"), 0);
  assert.equal(on.events("token_refreshed"), 1);
  assert.equal(await run("--relogin"), 1);
});

for (const [major, variable] of [["1.30.0", "MCP_PYTHON_V1"], ["2.3.0", "MCP_PYTHON_V2"]] as const) {
  const python = Deno.env.get(variable);
  Deno.test({
    name: `the Python SDK ${major} logs in, calls, refreshes and connects again`,
    ignore: python === undefined && Deno.env.get("REQUIRE_SERVICES") !== "1",
    async fn() {
      if (python === undefined) throw new Error(`${variable} does not name a Python with mcp==${major}`);
      await using on = await stage({ accessTtl: `${pythonSec}s` });
      const program = new URL("python_client.py", import.meta.url).pathname;
      const run = async (waitSec: number) => {
        const command: [string, ...string[]] = [
          python,
          program,
          on.http.mcpUrl,
          `${on.home}/kept.json`,
          String(waitSec),
        ];
        await using client = startOutside(command, {
          home: on.home,
          onBack: (client, address) => client.write(address.href),
        });
        assert.equal(await client.exited, 0, client.output());
        assert.match(client.output(), /ANSWER turn 0\n[^]*ANSWER turn 1\n/);
        return client.logins();
      };

      assert.equal(await run(pythonSec + 0.5), 1);
      assert.equal(on.events("token_refreshed"), 1);
      assert.equal(await run(0), 0);
    },
  });
}
