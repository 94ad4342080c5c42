import assert from "node:assert/strict";
import { startHandler } from "../fakes/raw_upstream.ts";
import { startUpstream } from "../fakes/upstream.ts";
import { type HttpMode, startHttpMode } from "../support/http_mode.ts";
import type { Keycloak } from "../support/keycloak.ts";
import { connectV1, connectV2 } from "../support/mcp_client.ts";
import { connectMcpRemote } from "../support/mcp_remote.ts";
import { call, codeOf, discover, redeem, refresh, register, startLogin } from "../support/oauth_client.ts";
import { audience, keycloakBrowser, newRealm, type Realm } from "./realm.ts";

const ping = { jsonrpc: "2.0", id: 1, method: "ping" };
const machine = ["127.0.0.1", "localhost"];

/** The seed's own command line for Keycloak. */
function startRemote(realm: Realm, upstreamUrl: string): Promise<HttpMode> {
  const args = [
    ...["--inbound-auth-provider", "keycloak", "--oidc-issuer-url", realm.issuer],
    ...["--oidc-scopes", "openid email", "--audience", audience, "--outbound-auth", "forward"],
  ];
  return startHttpMode({ upstreamUrl, args });
}

async function statusOf(http: HttpMode, token: string): Promise<number> {
  const response = await call(http.mcpUrl, token, ping);
  await response.body?.cancel();
  return response.status;
}

function claimsOf(token: string): Record<string, unknown> {
  const bytes = Uint8Array.fromBase64(token.split(".")[1] ?? "", { alphabet: "base64url" });
  return JSON.parse(new TextDecoder().decode(bytes));
}

/** From nothing to tokens, registered with or without a scope. */
async function logIn(http: HttpMode, scope: string | undefined, user = "alice") {
  const found = await discover(http.mcpUrl);
  const client = await register(found.server, scope === undefined ? {} : { scope });
  const login = await startLogin(found, client, { scope: "openid email" });
  const end = await keycloakBrowser(user).authorize(login.url, client.redirectUri);
  return { found, client, tokens: await redeem(found, client, login, codeOf(end, login)) };
}

/** Each claim with the test of it. */
export const remoteCases: Record<string, (keycloak: Keycloak) => Promise<void>> = {
  "remote: both SDKs' clients register at Keycloak itself, log in there and call a tool": async (
    keycloak,
  ) => {
    await using realm = await newRealm(keycloak, { openTo: machine });
    await using upstream = startUpstream();
    await using http = await startRemote(realm, upstream.url);

    for (const connect of [connectV1, connectV2]) {
      const { client } = await connect(http.mcpUrl, { browser: keycloakBrowser("alice") });
      const result = await client.callTool({ name: "echo", arguments: { text: "hello" } });
      await client.close();
      assert.deepEqual(result.content, [{ type: "text", text: "hello" }]);
    }
    const bearers = upstream.received.map((each) => each.headers.get("authorization")?.slice(7) ?? "");
    for (const bearer of new Set(bearers)) assert.equal(claimsOf(bearer).aud, audience);
  },

  "remote: the audience reaches the token whether or not the client registered a scope": async (keycloak) => {
    await using realm = await newRealm(keycloak, { openTo: machine });
    await using upstream = startHandler(() => Response.json({}));
    await using http = await startRemote(realm, upstream.url);

    for (const scope of [undefined, "openid email"]) {
      const { tokens } = await logIn(http, scope);
      assert.equal(await statusOf(http, tokens.access_token), 200);
    }
  },

  "remote: a token that was refreshed at Keycloak is accepted, one that is no access token is not": async (
    keycloak,
  ) => {
    await using realm = await newRealm(keycloak, { openTo: machine });
    await using upstream = startHandler(() => Response.json({}));
    await using http = await startRemote(realm, upstream.url);
    const { found, client, tokens } = await logIn(http, "openid email");

    const renewed = await refresh(found, client, tokens.refresh_token ?? "");

    assert.equal(await statusOf(http, renewed.access_token), 200);
    const received = upstream.received.length;
    const { id_token: idToken } = tokens as unknown as { id_token: string };
    assert.equal(claimsOf(idToken).typ, "ID");
    assert.equal(await statusOf(http, idToken), 401);
    assert.equal(await statusOf(http, renewed.refresh_token ?? ""), 401);
    assert.equal(upstream.received.length, received);
  },

  "remote: a token of another realm, and one that is for somebody else, are refused": async (keycloak) => {
    await using realm = await newRealm(keycloak, { openTo: machine });
    await using other = await newRealm(keycloak, { openTo: machine });
    await using upstream = startHandler(() => Response.json({}));
    await using http = await startRemote(realm, upstream.url);
    await using elsewhere = await startRemote(other, upstream.url);
    await using closed = await newRealm(keycloak);
    await using guarded = await startRemote(closed, upstream.url);
    const { tokens } = await logIn(elsewhere, undefined);
    const form = { grant_type: "password", client_id: "admin-cli", username: "alice", password: "alice-pw" };
    const direct = await fetch(`${closed.issuer}/protocol/openid-connect/token`, {
      method: "POST",
      body: new URLSearchParams(form),
    });
    const forNobody = (await direct.json()).access_token;

    assert.equal(await statusOf(elsewhere, tokens.access_token), 200);
    assert.equal(await statusOf(http, tokens.access_token), 401);
    assert.notEqual(claimsOf(forNobody).aud, audience);
    assert.equal(await statusOf(guarded, forNobody), 401);
  },

  "remote: rotated keys are taken at once, and tokens of the old ones stay good": async (
    keycloak,
  ) => {
    await using realm = await newRealm(keycloak, { openTo: machine });
    await using upstream = startHandler(() => Response.json({}));
    await using http = await startRemote(realm, upstream.url);
    const before = await logIn(http, undefined);
    assert.equal(await statusOf(http, before.tokens.access_token), 200);

    await realm.rotateKeys();
    const after = await refresh(before.found, before.client, before.tokens.refresh_token ?? "");

    assert.equal(await statusOf(http, after.access_token), 200);
    assert.equal(await statusOf(http, before.tokens.access_token), 200);
  },

  "remote: mcp-remote logs in and calls a tool": async (keycloak) => {
    // Its registration names its home page, and Keycloak judges that address as well.
    await using realm = await newRealm(keycloak, { openTo: [...machine, "github.com"] });
    await using upstream = startUpstream();
    await using http = await startRemote(realm, upstream.url);
    const home = await Deno.makeTempDir();
    try {
      await using remote = await connectMcpRemote(http.mcpUrl, { browser: keycloakBrowser("alice"), home });
      const result = await remote.client.callTool({ name: "echo", arguments: { text: "hello" } });
      assert.deepEqual(result.content, [{ type: "text", text: "hello" }]);
    } finally {
      await Deno.remove(home, { recursive: true });
    }
  },
};
