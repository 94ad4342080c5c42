/** The remote shape through the program: clients go to the IdP by themselves, and nothing bad reaches the upstream. */
import assert from "node:assert/strict";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { startIdp } from "../fakes/idp.ts";
import { type RawUpstream, startHandler, unusedPort } from "../fakes/raw_upstream.ts";
import { startUpstream } from "../fakes/upstream.ts";
import { startHttpMode, untilAnswering } from "../support/http_mode.ts";
import { connectV1, connectV2 } from "../support/mcp_client.ts";
import { call } from "../support/oauth_client.ts";
import { startDoorman } from "../support/process.ts";

const ping = { jsonrpc: "2.0", id: 7, method: "ping" };
const remote = (issuer: string, ...more: string[]) => [
  ...["--inbound-auth-provider", "keycloak", "--oidc-issuer-url", issuer, "--oidc-scopes", "openid email"],
  ...more,
];

Deno.test("both SDKs' clients register and log in at the IdP itself, and their token reaches the upstream", async () => {
  await using idp = await startIdp();
  await using upstream = startUpstream();
  const args = remote(idp.issuer, "--outbound-auth", "forward");
  await using http = await startHttpMode({ upstreamUrl: upstream.url, args });

  for (const connect of [connectV1, connectV2]) {
    const { client } = await connect(http.mcpUrl, { user: "alice" });
    const result = await client.callTool({ name: "echo", arguments: { text: "hello" } });
    await client.close();

    assert.deepEqual(result.content, [{ type: "text", text: "hello" }]);
  }
  const authorizations = new Set(upstream.received.map((each) => each.headers.get("authorization")));
  assert.ok([...authorizations].every((value) => value?.startsWith("Bearer ey")));
  assert.ok((idp.calls["/register"] ?? idp.calls["/reg"] ?? 0) >= 2);
});

/** An IdP whose tokens a test makes by hand, with every request to it on record. */
async function handmadeIdp() {
  const { privateKey, publicKey } = await generateKeyPair("RS256");
  const jwk = { ...await exportJWK(publicKey), kid: "k1", alg: "RS256", use: "sig" };
  const server: RawUpstream = startHandler((request) => {
    const path = new URL(request.url).pathname;
    if (path === "/keys") return Response.json({ keys: [jwk] });
    if (!path.startsWith("/.well-known/")) return new Response(null, { status: 404 });
    return Response.json({
      issuer: server.origin,
      authorization_endpoint: `${server.origin}/authorize`,
      token_endpoint: `${server.origin}/token`,
      registration_endpoint: `${server.origin}/register`,
      jwks_uri: `${server.origin}/keys`,
      code_challenge_methods_supported: ["S256"],
    });
  });
  return {
    server,
    issuer: server.origin,
    token(claims: JWTPayload = {}, header: Record<string, unknown> = {}, key = privateKey) {
      const now = Math.floor(Date.now() / 1_000);
      const all = { iss: server.origin, aud: "mcp-server", sub: "alice", exp: now + 300, ...claims };
      return new SignJWT(JSON.parse(JSON.stringify(all)))
        .setProtectedHeader({ alg: "RS256", kid: "k1", ...header }).sign(key);
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

Deno.test("no bad token puts a byte on the wire to the upstream, nor makes us fetch anything", async () => {
  await using idp = await handmadeIdp();
  await using evil = startHandler(() => Response.json({ keys: [] }));
  await using upstream = startHandler(async (request) => Response.json({ got: await request.text() }));
  const args = remote(idp.issuer, "--audience", "mcp-server", "--outbound-auth", "forward");
  await using http = await startHttpMode({ upstreamUrl: upstream.url, args });
  const good = await call(http.mcpUrl, await idp.token(), ping);
  assert.equal(good.status, 200);
  await good.body?.cancel();
  const before = [upstream.received.length, idp.server.received.length];
  const now = Math.floor(Date.now() / 1_000);
  const stranger = await generateKeyPair("RS256");
  const jwk = await exportJWK(stranger.publicKey);
  const secret = new TextEncoder().encode(JSON.stringify(jwk));
  const hmac = await new SignJWT({ iss: idp.issuer, aud: "mcp-server", sub: "alice", exp: now + 300 })
    .setProtectedHeader({ alg: "HS256", kid: "k1" }).sign(secret);
  const unsigned = `${btoa('{"alg":"none"}')}.${
    btoa(JSON.stringify({ iss: idp.issuer, aud: "mcp-server" }))
  }.`;
  const attacks: Record<string, string> = {
    garbage: "not-a-token",
    unsigned: unsigned.replaceAll("=", ""),
    hmac,
    expired: await idp.token({ exp: now - 61 }),
    "no expiry": await idp.token({ exp: undefined } as unknown as JWTPayload),
    "not yet": await idp.token({ nbf: now + 120 }),
    "other audience": await idp.token({ aud: "other" }),
    "no audience": await idp.token({ aud: undefined } as unknown as JWTPayload),
    "other issuer": await idp.token({ iss: evil.origin }),
    "embedded key": await idp.token({}, { jwk }, stranger.privateKey),
    "key by address": await idp.token(
      {},
      { jku: `${evil.origin}/keys`, x5u: evil.origin },
      stranger.privateKey,
    ),
    id_token: await idp.token({ nonce: "n", at_hash: "h" }),
    "refresh token": await idp.token({ typ: "Refresh" }),
    "logout token": await idp.token({ events: {} }, { typ: "logout+jwt" }),
    "longer than any token": "x".repeat(40_000),
  };

  for (const [name, token] of Object.entries(attacks)) {
    const response = await call(http.mcpUrl, token, ping);
    const text = await response.text();
    assert.ok(
      response.status === 401 || response.status === 431 || response.status === 400,
      `${name}: ${response.status}`,
    );
    if (response.status === 401) {
      assert.match(response.headers.get("www-authenticate") ?? "", /^Bearer .*error="invalid_token"/, name);
    }
    assert.ok(text.length < 500 && !text.includes(token.slice(0, 40)), name);
  }
  const bare = await fetch(`${http.mcpUrl}?access_token=${await idp.token()}`, {
    method: "POST",
    body: "{}",
  });
  await bare.body?.cancel();

  assert.equal(bare.status, 401);
  assert.doesNotMatch(bare.headers.get("www-authenticate") ?? "", /error=/);
  assert.deepEqual([upstream.received.length, idp.server.received.length], before);
  assert.equal(evil.received.length, 0);
  const log = http.process.stderr.join("\n");
  for (const token of Object.values(attacks)) assert.ok(!log.includes(token.slice(-40)));
});

Deno.test("a token of a user with 300 groups and a name beyond ASCII reaches the upstream whole", async () => {
  await using idp = await handmadeIdp();
  await using upstream = startHandler((request) =>
    Response.json({ got: request.headers.get("authorization") })
  );
  const args = remote(idp.issuer, "--audience", "mcp-server", "--outbound-auth", "forward");
  const groups = Array.from({ length: 300 }, () => crypto.randomUUID());
  const env = { ALLOW_GROUPS: groups[299] ?? "" };
  await using http = await startHttpMode({ upstreamUrl: upstream.url, args, env });
  const name = "\u00c6r\u00f8sk\u00f8bing \u{1F98A}";
  const token = await idp.token({ groups, name, email_verified: "true", email: "a@example.com" });

  const response = await call(http.mcpUrl, token, ping);

  assert.ok(token.length > 15_000);
  assert.equal((await response.json()).got, `Bearer ${token}`);
});

Deno.test("an IdP that is down at start is 503 with Retry-After, and heals without a restart", async () => {
  const port = unusedPort();
  await using upstream = startHandler(() => Response.json({}));
  const args = remote(`http://127.0.0.1:${port}`, "--audience", "mcp-server", "--outbound-auth", "forward");
  await using http = await startHttpMode({ upstreamUrl: upstream.url, args });
  await using idp = await startIdp({ port, audience: "mcp-server" });
  await idp.down();
  const bearer = "eyJhbGciOiJSUzI1NiJ9." +
    btoa(JSON.stringify({ iss: `http://127.0.0.1:${port}`, aud: "mcp-server" })).replaceAll("=", "") +
    ".AAAA";

  const away = await call(http.mcpUrl, bearer, ping);
  await away.body?.cancel();
  assert.equal(away.status, 503);
  assert.ok(away.headers.has("retry-after"));

  await idp.up();
  for (let attempt = 0;; attempt++) {
    const back = await call(http.mcpUrl, bearer, ping);
    await back.body?.cancel();
    if (back.status === 401) break;
    assert.ok(attempt < 100, `still ${back.status}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.equal(upstream.received.length, 0);
});

Deno.test("allardy's variables start unchanged: static client, rewritten metadata, allow-list, challenge with a realm", async () => {
  await using idp = await handmadeIdp();
  await using upstream = startHandler((request) => Response.json({ path: new URL(request.url).pathname }));
  const port = unusedPort();
  const base = `http://localhost:${port}`;
  await using doorman = startDoorman([], {
    env: {
      OIDC_ISSUER_URL: `${idp.issuer}/`,
      OIDC_AUDIENCE: "my-mcp",
      RESOURCE_URL: base,
      ALLOW_SUBS: "alice",
      MCP_UPSTREAM_URL: upstream.origin,
      MCP_UPSTREAM_PATH: "/inner/mcp",
      STATIC_CLIENT_ID: "my-client",
      STATIC_CLIENT_SECRET: "my-secret",
      PORT: String(port),
      METRICS_ADDR: "127.0.0.1:0",
    },
  });
  await untilAnswering(`${base}/healthz`);
  const json = async (path: string, init?: RequestInit) => await (await fetch(base + path, init)).json();

  const resource = await json("/.well-known/oauth-protected-resource");
  const server = await json("/.well-known/oauth-authorization-server");
  const client = await json("/oauth/register", { method: "POST", body: "{}" });
  const refused = await call(base, "nothing", ping);
  const stranger = await call(base, await idp.token({ aud: "my-mcp", sub: "bob" }), ping);
  const entered = await call(base, await idp.token({ aud: "my-mcp" }), ping);

  assert.deepEqual(resource.authorization_servers, [base]);
  assert.deepEqual(resource.scopes_supported, ["openid", "profile", "email", "offline_access"]);
  assert.equal(server.issuer, base);
  assert.equal(server.token_endpoint, `${idp.issuer}/token`);
  assert.equal(server.registration_endpoint, `${base}/oauth/register`);
  assert.deepEqual([client.client_id, client.client_secret], ["my-client", "my-secret"]);
  assert.equal(refused.status, 401);
  assert.match(
    refused.headers.get("www-authenticate") ?? "",
    new RegExp(`realm="${base}", error="invalid_token"`),
  );
  assert.equal(stranger.status, 403);
  assert.deepEqual(await entered.json(), { path: "/inner/mcp" });
  for (const response of [refused, stranger]) await response.body?.cancel();
  assert.ok(doorman.stderr.some((line) => line.includes("static_client_is_public")));
  assert.ok(!doorman.stderr.some((line) => line.includes("my-secret")));
});
