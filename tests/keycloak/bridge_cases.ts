import assert from "node:assert/strict";
import { startHandler, unusedPort } from "../fakes/raw_upstream.ts";
import { startUpstream } from "../fakes/upstream.ts";
import { type HttpMode, startHttpMode, untilAnswering } from "../support/http_mode.ts";
import type { Keycloak } from "../support/keycloak.ts";
import { connectV1, connectV2 } from "../support/mcp_client.ts";
import { connectMcpRemote } from "../support/mcp_remote.ts";
import {
  call,
  type Discovered,
  logIn,
  refresh,
  type RegisteredClient,
  tokenRequest,
} from "../support/oauth_client.ts";
import { startDoorman } from "../support/process.ts";
import { startRedis } from "../support/redis.ts";
import { findService } from "../support/services.ts";
import { audience, keycloakBrowser, newRealm, type Realm } from "./realm.ts";

const ping = { jsonrpc: "2.0", id: 1, method: "ping" };

/** The IdP's token goes on to the upstream. */
function bridgeArgs(realm: Realm): string[] {
  return [
    ...["--inbound-auth-provider", "oidc", "--oidc-issuer-url", realm.issuer],
    ...["--oidc-client-id", realm.clientId, "--oidc-client-secret", realm.clientSecret],
    ...["--oidc-scopes", "openid profile email", "--outbound-auth", "forward"],
  ];
}

/** The bridge on a realm as Keycloak makes it. */
function startBridge(realm: Realm, upstreamUrl: string, env: Record<string, string> = {}): Promise<HttpMode> {
  return startHttpMode({ upstreamUrl, args: bridgeArgs(realm), env });
}

async function statusOf(http: HttpMode, token: string): Promise<number> {
  const response = await call(http.mcpUrl, token, ping);
  await response.body?.cancel();
  return response.status;
}

/** The OAuth error that a refresh ends with; empty for none. */
async function refreshError(found: Discovered, client: RegisteredClient, token: string): Promise<string> {
  const { body } = await tokenRequest(found.server, client, {
    grant_type: "refresh_token",
    refresh_token: token,
  });
  return body.error ?? "";
}

/** Each claim with the test of it. */
export const bridgeCases: Record<string, (keycloak: Keycloak) => Promise<void>> = {
  "bridge: both SDKs' clients connect on a realm with default policies, and Keycloak is asked for no resource":
    async (
      keycloak,
    ) => {
      await using realm = await newRealm(keycloak);
      await using upstream = startUpstream({
        validating: {
          issuer: realm.issuer,
          jwksUrl: `${realm.issuer}/protocol/openid-connect/certs`,
          audience,
          metadata: false,
        },
      });
      await using http = await startBridge(realm, upstream.url);

      for (const connect of [connectV1, connectV2]) {
        const browser = keycloakBrowser("alice");
        const { client } = await connect(http.mcpUrl, { browser });
        const result = await client.callTool({ name: "claims", arguments: {} });
        await client.close();
        const [content] = result.content as { text: string }[];
        assert.equal(JSON.parse(content?.text ?? "{}").preferred_username, "alice");
        const asked = browser.seen.filter((url) =>
          url.startsWith(`${realm.issuer}/protocol/openid-connect/auth?`)
        );
        assert.equal(asked.length, 1);
        assert.doesNotMatch(asked[0] ?? "", /[?&]resource=/);
      }
    },

  "bridge: ten refreshes at once are one at Keycloak, and the session lives on": async (keycloak) => {
    await using realm = await newRealm(keycloak);
    await using upstream = startHandler(() => Response.json({}));
    await using http = await startBridge(realm, upstream.url);
    const { found, client, tokens } = await logIn(http.mcpUrl, { browser: keycloakBrowser("alice") });
    const first = tokens.refresh_token ?? "";

    const renewed = await Promise.all(Array.from({ length: 10 }, () => refresh(found, client, first)));

    assert.equal(new Set(renewed.map((each) => each.refresh_token)).size, 1);
    let current = renewed[0]?.refresh_token ?? "";
    for (let round = 0; round < 3; round++) {
      const next = await refresh(found, client, current);
      assert.equal(await statusOf(http, next.access_token), 200);
      current = next.refresh_token ?? "";
    }
  },

  "bridge: two processes that share Redis refresh one grant without a race at Keycloak": async (keycloak) => {
    const redisPath = findService("redis").path;
    if (redisPath === undefined) throw new Error("redis-server is needed");
    await using redis = await startRedis(redisPath);
    await using realm = await newRealm(keycloak);
    await using upstream = startHandler(() => Response.json({}));
    const env = { REDIS_URL: redis.url, TOKEN_SIGNING_SECRET: "shared-by-both-0123456789-abcdefghij" };
    await using one = await startBridge(realm, upstream.url, env);
    const port = unusedPort();
    await using _two = startDoorman([
      ...["--transport", "http", "--host", "127.0.0.1", "--port", `${port}`, "--proxy-base-url", one.baseUrl],
      ...bridgeArgs(realm),
      upstream.url,
    ], { env: { METRICS_ADDR: "127.0.0.1:0", ...env } });
    await untilAnswering(`http://127.0.0.1:${port}/healthz`);
    const { found, client, tokens } = await logIn(one.mcpUrl, { browser: keycloakBrowser("alice") });
    const atTwo: Discovered = {
      ...found,
      server: { ...found.server, token_endpoint: `http://127.0.0.1:${port}/token` },
    };

    let current = tokens.refresh_token ?? "";
    for (let round = 0; round < 3; round++) {
      const renewed = await Promise.all(
        [found, atTwo, found, atTwo].map((at) => refresh(at, client, current)),
      );
      assert.equal(new Set(renewed.map((each) => each.refresh_token)).size, 1);
      current = renewed[0]?.refresh_token ?? "";
    }
  },

  "bridge: after a logout at Keycloak the refresh is refused, and stays so": async (keycloak) => {
    await using realm = await newRealm(keycloak);
    await using upstream = startHandler(() => Response.json({}));
    await using http = await startBridge(realm, upstream.url);
    const { found, client, tokens } = await logIn(http.mcpUrl, { browser: keycloakBrowser("alice") });
    const renewed = await refresh(found, client, tokens.refresh_token ?? "");

    await realm.endSessions("alice");

    assert.equal(await refreshError(found, client, renewed.refresh_token ?? ""), "invalid_grant");
    assert.equal(await refreshError(found, client, renewed.refresh_token ?? ""), "invalid_grant");
  },

  "bridge: a user who is disabled gets no refresh and no login": async (keycloak) => {
    await using realm = await newRealm(keycloak);
    await using upstream = startHandler(() => Response.json({}));
    await using http = await startBridge(realm, upstream.url);
    const { found, client, tokens } = await logIn(http.mcpUrl, { browser: keycloakBrowser("alice") });

    await realm.setUser("alice", { enabled: false });

    assert.equal(await refreshError(found, client, tokens.refresh_token ?? ""), "invalid_grant");
    await assert.rejects(logIn(http.mcpUrl, { browser: keycloakBrowser("alice") }), /disabled|invalid/i);
  },

  "bridge: a login after Keycloak's keys were rotated works at once": async (keycloak) => {
    await using realm = await newRealm(keycloak);
    await using upstream = startHandler(() => Response.json({}));
    await using http = await startBridge(realm, upstream.url);
    const before = await logIn(http.mcpUrl, { browser: keycloakBrowser("alice") });

    await realm.rotateKeys(true);
    const { tokens } = await logIn(http.mcpUrl, { browser: keycloakBrowser("alice") });

    assert.equal(await statusOf(http, tokens.access_token), 200);
    await refresh(before.found, before.client, before.tokens.refresh_token ?? "");
  },

  "bridge: a user whose address is not verified is told so, and is not let in": async (keycloak) => {
    await using realm = await newRealm(keycloak);
    await using upstream = startHandler(() => Response.json({}));
    await using http = await startBridge(realm, upstream.url);

    const refused = await logIn(http.mcpUrl, { browser: keycloakBrowser("bob") }).catch((error) => error);

    assert.ok(refused instanceof Error);
    assert.ok(http.process.stderr.some((line) => line.includes("access_denied_email_not_verified")));
    assert.equal(upstream.received.length, 0);
  },

  "bridge: groups from Keycloak decide who may enter": async (keycloak) => {
    await using realm = await newRealm(keycloak);
    await using upstream = startHandler(() => Response.json({}));
    await using staff = await startBridge(realm, upstream.url, { ALLOW_GROUPS: "staff" });
    await using admins = await startBridge(realm, upstream.url, { ALLOW_GROUPS: "admins" });

    const { tokens } = await logIn(staff.mcpUrl, { browser: keycloakBrowser("alice") });

    assert.equal(await statusOf(staff, tokens.access_token), 200);
    await assert.rejects(logIn(admins.mcpUrl, { browser: keycloakBrowser("alice") }));
  },

  "bridge: mcp-remote logs in and calls a tool": async (keycloak) => {
    await using realm = await newRealm(keycloak);
    await using upstream = startUpstream();
    await using http = await startBridge(realm, upstream.url);
    const home = await Deno.makeTempDir();
    try {
      await using remote = await connectMcpRemote(http.mcpUrl, { browser: keycloakBrowser("alice"), home });
      const result = await remote.client.callTool({ name: "echo", arguments: { text: "hello" } });
      assert.deepEqual(result.content, [{ type: "text", text: "hello" }]);
    } finally {
      await Deno.remove(home, { recursive: true });
    }
  },

  "bridge: each user's token is exchanged for one that is for the upstream alone": async (keycloak) => {
    await using realm = await newRealm(keycloak);
    const certs = `${realm.issuer}/protocol/openid-connect/certs`;
    await using upstream = startUpstream({
      validating: { issuer: realm.issuer, jwksUrl: certs, audience: "downstream", metadata: false },
    });
    await using http = await startHttpMode({
      upstreamUrl: upstream.url,
      args: [
        ...["--inbound-auth-provider", "oidc", "--oidc-issuer-url", realm.issuer],
        ...["--oidc-client-id", realm.clientId, "--oidc-client-secret", realm.clientSecret],
        ...["--oidc-scopes", "openid profile email", "--outbound-auth", "token-exchange"],
        ...["--outbound-token-url", `${realm.issuer}/protocol/openid-connect/token`],
        ...["--outbound-client-id", realm.clientId, "--outbound-audience", "downstream"],
      ],
      env: { OUTBOUND_CLIENT_SECRET: realm.clientSecret },
    });

    const { client } = await connectV1(http.mcpUrl, { browser: keycloakBrowser("alice") });
    const result = await client.callTool({ name: "claims", arguments: {} });
    await client.close();

    const [content] = result.content as { text: string }[];
    const { aud, preferred_username: name } = JSON.parse(content?.text ?? "{}");
    assert.deepEqual([aud, name], ["downstream", "alice"]);
    assert.equal(new Set(upstream.received.map((each) => each.headers.get("authorization"))).size, 1);
  },
};
