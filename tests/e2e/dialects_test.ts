/** The documented commands of the systems that this one follows, with their own names unchanged; only the addresses are ours. */
import assert from "node:assert/strict";
import { startIdp } from "../fakes/idp.ts";
import { unusedPort } from "../fakes/raw_upstream.ts";
import { startUpstream } from "../fakes/upstream.ts";
import { newBrowser } from "../support/browser.ts";
import {
  call,
  codeOf,
  discover,
  logIn,
  redeem,
  register,
  rpcAnswer,
  startLogin,
} from "../support/oauth_client.ts";
import { startDoorman } from "../support/process.ts";
import { startRedis } from "../support/redis.ts";
import { testWithService } from "../support/services.ts";
import { connectStdioV1 } from "../support/stdio_client.ts";

Deno.test("authsome-mcp-proxy's generic OIDC command serves /mcp and forwards the IdP's token", async () => {
  await using idp = await startIdp();
  await using upstream = startUpstream({
    validating: { issuer: idp.issuer, audience: "mcp-server", metadata: false },
  });
  const port = unusedPort();
  await idp.addClient({
    client_id: "mcp-proxy-client",
    client_secret: "its-secret",
    redirect_uris: [`http://localhost:${port}/auth/callback`],
  });
  await using process = startDoorman([
    "--transport",
    "http",
    "--port",
    String(port),
    "--proxy-base-url",
    `http://localhost:${port}`,
    "--inbound-auth-provider",
    "oidc",
    "--oidc-issuer-url",
    idp.issuer,
    "--oidc-client-id",
    "mcp-proxy-client",
    "--oidc-client-secret",
    "its-secret",
    "--oidc-scopes",
    "openid email profile",
    "--audience",
    "mcp-server",
    upstream.url,
  ], { env: { METRICS_ADDR: "127.0.0.1:0" } });
  await untilItAnswers(port, process);

  const { tokens } = await logIn(`http://localhost:${port}/mcp`, { user: "alice" });

  const claims = await claimsOf(`http://localhost:${port}/mcp`, tokens.access_token);
  assert.equal(claims.sub, "alice");
  assert.equal(claims.aud, "mcp-server");
  assert.deepEqual(String(claims.scope).split(" ").sort(), ["email", "openid", "profile"]);
});

Deno.test("authsome-mcp-proxy's client entry for stdio logs in and calls a tool", async () => {
  await using idp = await startIdp({ audience: "mcp-server", scopes: ["mcp:read", "mcp:write"] });
  await using upstream = startUpstream({
    validating: { issuer: idp.issuer, audience: "mcp-server", metadata: false },
  });
  const redirect = `http://localhost:${unusedPort()}/auth/callback`;
  await idp.addClient({
    client_id: "claude-desktop-client",
    client_secret: "your-client-secret",
    redirect_uris: [redirect],
  });
  const home = await Deno.makeTempDir();
  try {
    await using session = await connectStdioV1({
      upstreamUrl: upstream.url,
      home,
      user: "alice",
      env: {
        OIDC_ISSUER_URL: idp.issuer,
        OIDC_CLIENT_ID: "claude-desktop-client",
        OIDC_CLIENT_SECRET: "your-client-secret",
        OIDC_SCOPES: "openid profile mcp:read mcp:write",
        OIDC_REDIRECT_URL: redirect,
      },
    });
    const result = await session.client.callTool({ name: "claims" });

    assert.match(JSON.stringify(result.content), /mcp:read mcp:write/);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});

Deno.test("authful-mcp-proxy's public client needs no secret", async () => {
  await using idp = await startIdp({ audience: "mcp-server" });
  await using upstream = startUpstream({
    validating: { issuer: idp.issuer, audience: "mcp-server", metadata: false },
  });
  const redirect = `http://localhost:${unusedPort()}/auth/callback`;
  await idp.addClient({
    client_id: "your-client-id",
    token_endpoint_auth_method: "none",
    application_type: "native",
    redirect_uris: [redirect],
  });
  const home = await Deno.makeTempDir();
  try {
    await using session = await connectStdioV1({
      upstreamUrl: upstream.url,
      home,
      user: "bob",
      env: { OIDC_ISSUER_URL: idp.issuer, OIDC_CLIENT_ID: "your-client-id", OIDC_REDIRECT_URL: redirect },
    });

    assert.match(JSON.stringify((await session.client.callTool({ name: "claims" })).content), /bob/);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});

testWithService(
  "redis",
  "babs/mcp-auth-proxy's variables serve the upstream's path with the IdP callback at /callback",
  async (path) => {
    await using redis = await startRedis(path);
    await using idp = await startIdp();
    await using upstream = startUpstream({ path: "/backend/mcp" });
    const port = unusedPort();
    await idp.addClient({
      client_id: "mcp-auth-proxy",
      client_secret: "idp-secret",
      redirect_uris: [`http://localhost:${port}/callback`],
    });
    await using process = startDoorman([], {
      env: {
        OIDC_ISSUER_URL: idp.issuer,
        OIDC_CLIENT_ID: "mcp-auth-proxy",
        OIDC_CLIENT_SECRET: "idp-secret",
        PROXY_BASE_URL: `http://localhost:${port}`,
        UPSTREAM_MCP_URL: upstream.url,
        TOKEN_SIGNING_SECRET: randomHex(),
        REDIS_URL: redis.url,
        LISTEN_ADDR: `127.0.0.1:${port}`,
        METRICS_ADDR: "127.0.0.1:0",
      },
    });
    await untilItAnswers(port, process);

    const { tokens } = await logIn(`http://localhost:${port}/backend/mcp`, { user: "bob" });

    const headers = await headersOf(`http://localhost:${port}/backend/mcp`, tokens.access_token);
    assert.equal(headers.authorization, undefined);
    assert.ok((idp.authorizeRequests.at(-1)?.get("redirect_uri") ?? "").endsWith("/callback"));
  },
);

Deno.test("allardy/mcp-oauth-proxy's variables verify the IdP's tokens and let listed subjects in only", async () => {
  await using idp = await startIdp({ audience: "my-mcp", registration: false });
  await using upstream = startUpstream({ path: "/mcp" });
  const port = unusedPort();
  const baseUrl = `http://localhost:${port}`;
  await idp.addClient({
    client_id: "your-client-id",
    client_secret: "your-client-secret",
    redirect_uris: ["http://127.0.0.1:33418/callback"],
    token_endpoint_auth_method: "client_secret_post",
  });
  await using process = startDoorman([], {
    env: {
      OIDC_ISSUER_URL: idp.issuer,
      OIDC_AUDIENCE: "my-mcp",
      RESOURCE_URL: baseUrl,
      ALLOW_SUBS: "alice",
      MCP_UPSTREAM_URL: upstream.origin,
      MCP_UPSTREAM_PATH: "/mcp",
      PORT: String(port),
      STATIC_CLIENT_ID: "your-client-id",
      STATIC_CLIENT_SECRET: "your-client-secret",
      METRICS_ADDR: "127.0.0.1:0",
    },
  });
  await untilItAnswers(port, process);
  const found = await discover(baseUrl);
  const client = await register(found.server);
  const status: Record<string, number> = {};
  for (const user of ["alice", "bob"]) {
    const login = await startLogin(found, client, { scope: "openid profile email", resource: undefined });
    const end = await newBrowser({ user }).authorize(login.url, client.redirectUri);
    const tokens = await redeem(
      { ...found, resource: { ...found.resource, resource: "urn:audience:my-mcp" } },
      client,
      login,
      codeOf(end, login),
    );
    const answer = await call(baseUrl, tokens.access_token, initialize);
    status[user] = answer.status;
    await answer.body?.cancel();
  }

  assert.equal(found.server.registration_endpoint, `${baseUrl}/oauth/register`);
  assert.deepEqual(status, { alice: 200, bob: 403 });
});

Deno.test("allardy/mcp-oauth-proxy's documented command starts unchanged, its child included, and carries a call", async () => {
  await using idp = await startIdp({ audience: "my-mcp", registration: false });
  const [port, childPort] = [unusedPort(), unusedPort()];
  const baseUrl = `http://localhost:${port}`;
  const client = {
    clientId: "a-client",
    clientSecret: "a-secret",
    redirectUri: "http://127.0.0.1:33418/callback",
  };
  await idp.addClient({
    client_id: client.clientId,
    client_secret: client.clientSecret,
    redirect_uris: [client.redirectUri],
    token_endpoint_auth_method: "client_secret_post",
  });
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/npx`, npx);
    await Deno.chmod(`${folder}/npx`, 0o755);
    await using process = startDoorman([], {
      env: {
        PATH: `${folder}:${Deno.env.get("PATH")}`,
        OIDC_ISSUER_URL: `${idp.issuer}/`,
        OIDC_AUDIENCE: "my-mcp",
        RESOURCE_URL: baseUrl,
        ALLOW_SUBS: "alice",
        MCP_SPAWN_CMD: `npx -y your-mcp-server --transport http --port ${childPort}`,
        MCP_SPAWN_PORT: String(childPort),
        PORT: String(port),
        METRICS_ADDR: "127.0.0.1:0",
      },
    });
    await untilItAnswers(port, process);
    const found = await discover(baseUrl);
    const login = await startLogin(found, client, { scope: "openid profile email", resource: undefined });
    const end = await newBrowser({ user: "alice" }).authorize(login.url, client.redirectUri);
    const ofAudience = { ...found, resource: { ...found.resource, resource: "urn:audience:my-mcp" } };
    const tokens = await redeem(ofAudience, client, login, codeOf(end, login));

    const headers = await headersOf(`${baseUrl}/mcp`, tokens.access_token);
    const refused = await call(`${baseUrl}/mcp`, "no-token", initialize);
    await refused.body?.cancel();

    assert.equal(refused.status, 401);
    assert.equal(headers["x-user-sub"], "alice");
    assert.equal(headers.authorization, undefined);
    await process.line("stderr", /upstream_output.*-y your-mcp-server --transport http --port/);
    process.signal("SIGTERM");
    assert.equal(await process.exited, 0);
    await process.line("stderr", /upstream_ended/);
    await assert.rejects(Deno.connect({ hostname: "127.0.0.1", port: childPort }));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Stands in for npx, which would fetch a package: says what it was asked for, and starts the test server. */
const npx = `#!/bin/sh
echo "asked for: $*"
exec '${Deno.execPath()}' run -A --config '${new URL("../../deno.json", import.meta.url).pathname}' '${
  new URL("./spawned_server.ts", import.meta.url).pathname
}' "$@"
`;

const initialize = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "scripted", version: "1" } },
};

/** As `openssl rand -hex 32`. */
function randomHex(): string {
  return [...crypto.getRandomValues(new Uint8Array(32))].map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

async function toolText(mcpUrl: string, token: string, name: string): Promise<string> {
  const initialized = await call(mcpUrl, token, initialize);
  assert.equal(initialized.status, 200, await initialized.text());
  const session = initialized.headers.get("mcp-session-id") ?? "";
  const message = { jsonrpc: "2.0", id: 2, method: "tools/call", params: { name, arguments: {} } };
  const answer = await rpcAnswer(await call(mcpUrl, token, message, { "mcp-session-id": session }));
  return (answer.result as { content: { text: string }[] }).content[0]?.text ?? "";
}

async function claimsOf(mcpUrl: string, token: string): Promise<Record<string, unknown>> {
  return JSON.parse(await toolText(mcpUrl, token, "claims"));
}

async function headersOf(mcpUrl: string, token: string): Promise<Record<string, string>> {
  return JSON.parse(await toolText(mcpUrl, token, "whoami")).headers;
}

async function untilItAnswers(port: number, process: ReturnType<typeof startDoorman>): Promise<void> {
  let ended = false;
  process.exited.then(() => ended = true);
  for (let attempt = 0; attempt < 400 && !ended; attempt++) {
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`It did not start:\n${process.stderr.slice(-20).join("\n")}`);
}
