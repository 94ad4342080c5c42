import assert from "node:assert/strict";
import { startIdp } from "../fakes/idp.ts";
import { unusedPort } from "../fakes/raw_upstream.ts";
import { startUpstream } from "../fakes/upstream.ts";
import { startHttpMode } from "../support/http_mode.ts";
import { call, logIn } from "../support/oauth_client.ts";
import { runDoorman } from "../support/process.ts";

const ping = { jsonrpc: "2.0", id: 1, method: "ping" };

Deno.test("revoke ends one user's logins at the running server, and nobody else's", async () => {
  await using idp = await startIdp({ users: { alice: {}, bob: {} } });
  await using upstream = startUpstream();
  const metrics = `127.0.0.1:${unusedPort()}`;
  await using http = await startHttpMode({ idp, upstreamUrl: upstream.url, env: { METRICS_ADDR: metrics } });
  const { tokens: alice } = await logIn(http.mcpUrl, { user: "alice" });
  const { tokens: bob } = await logIn(http.mcpUrl, { user: "bob" });
  const status = async (token: string) => {
    const response = await call(http.mcpUrl, token, ping);
    await response.body?.cancel();
    return response.status;
  };
  assert.notEqual(await status(alice.access_token), 401);
  const settings = (more: Record<string, string> = {}) => ({
    home: http.process.home,
    env: {
      METRICS_ADDR: metrics,
      MCP_PROXY_BASE_URL: http.baseUrl,
      INBOUND_AUTH_PROVIDER: "oidc",
      OIDC_ISSUER_URL: idp.issuer,
      OIDC_CLIENT_ID: idp.clientId,
      OUTBOUND_AUTH: "none",
      UPSTREAM_MCP_URL: upstream.url,
      ...more,
    },
  });

  const foreign = await runDoorman(
    ["revoke", "--subject", "bob"],
    settings({ TOKEN_SIGNING_SECRET: "another-secret-0123456789-abcdefghijk" }),
  );
  assert.equal(foreign.code, 1);
  assert.match(foreign.stderr, /answered 403/);

  const revoked = await runDoorman(["revoke", "--subject", "alice"], settings());
  assert.equal(revoked.code, 0, revoked.stderr);
  await http.process.line("stderr", /logins_revoked/);
  assert.notEqual(await status(bob.access_token), 401);
  // The server remembers for a moment that the login was good.
  const deadline = performance.now() + 15_000;
  while (await status(alice.access_token) !== 401) {
    assert.ok(performance.now() < deadline, "still let in");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.notEqual(await status(bob.access_token), 401);
});

Deno.test("revoke refuses what it cannot do", async () => {
  const bare = await runDoorman(["revoke"]);
  assert.equal(bare.code, 2);
  assert.match(bare.stderr, /give --subject or --client/);
  const remote = await runDoorman(["revoke", "--subject", "x"], {
    env: {
      RESOURCE_URL: "https://d.example",
      OIDC_ISSUER_URL: "https://i.example",
      OIDC_AUDIENCE: "a",
      ALLOW_SUBS: "x",
      MCP_UPSTREAM_URL: "http://u.example",
    },
  });
  assert.equal(remote.code, 1);
  assert.match(remote.stderr, /identity provider's own/);
});

Deno.test("revoke without a running server writes into its store", async () => {
  const home = await Deno.makeTempDir({ prefix: "doorman-revoke-" });
  try {
    const { code, stdout, stderr } = await runDoorman(["revoke", "--client", "c1"], {
      home,
      env: {
        METRICS_ADDR: "off",
        PROXY_BASE_URL: "https://d.example",
        UPSTREAM_MCP_URL: "http://u.example/mcp",
        OIDC_ISSUER_URL: "https://i.example",
        OIDC_CLIENT_ID: "c",
      },
    });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /Every login of client c1/);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});
