/** The documented command of each provider, its address led to a strict fake: login, call, refresh, call. */
import assert from "node:assert/strict";
import { decodeJwt } from "jose";
import { startCognito } from "../fakes/cognito.ts";
import { startEntra } from "../fakes/entra.ts";
import { startGoogle } from "../fakes/google.ts";
import type { StrictIdp } from "../fakes/strict_idp.ts";
import { startHttpMode } from "../support/http_mode.ts";
import { call, logIn, refresh } from "../support/oauth_client.ts";
import { startDoorman } from "../support/process.ts";
import { browserFor } from "../support/stdio_client.ts";
import { unusedPort } from "../fakes/raw_upstream.ts";

const tenantId = "11111111-2222-3333-4444-555555555555";
const client = { clientId: "the-app-client", clientSecret: "GOCSPX-a_b~c.d" };
const credentials = ["--oidc-client-id", client.clientId, "--oidc-client-secret", client.clientSecret];

/** An MCP server that answers every request with the headers that it got. */
function echoUpstream() {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const { id } = await request.json();
    return Response.json({ jsonrpc: "2.0", id, result: { headers: Object.fromEntries(request.headers) } });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/mcp`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function headersAtUpstream(mcpUrl: string, token: string): Promise<Record<string, string>> {
  const answer = await call(mcpUrl, token, { jsonrpc: "2.0", id: 1, method: "ping" });
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return JSON.parse(text).result.headers;
}

/** Starts http mode with these arguments and plays a whole client; the fake must have had nothing to refuse. */
async function play(fake: StrictIdp, args: readonly string[], env: Record<string, string> = {}) {
  await using upstream = echoUpstream();
  await using http = await startHttpMode({ upstreamUrl: upstream.url, args, env });
  fake.redirectUris.push(`${http.baseUrl}/auth/callback`);

  const { found, client: registered, tokens } = await logIn(http.mcpUrl);
  const first = await headersAtUpstream(http.mcpUrl, tokens.access_token);
  const refreshed = await refresh(found, registered, tokens.refresh_token ?? assert.fail("no refresh token"));
  const second = await headersAtUpstream(http.mcpUrl, refreshed.access_token);

  assert.deepEqual(fake.refusals, []);
  assert.ok(tokens.access_token.length <= 4096 && refreshed.access_token.length <= 4096);
  assert.ok([...fake.authorizeRequests, ...fake.tokenRequests].every((request) => !request.has("resource")));
  return { first, second, tokens, stderr: http.process.stderr };
}

Deno.test("authsome-mcp-proxy's AWS Cognito command logs in at Cognito and refreshes", async () => {
  await using cognito = await startCognito({ ...client, userPoolId: "eu-central-1_XXXXXXXXX" });

  const { first, second } = await play(cognito, [
    ...["--inbound-auth-provider", "aws-cognito"],
    ...["--cognito-user-pool-id", "eu-central-1_XXXXXXXXX", "--cognito-aws-region", "eu-central-1"],
    ...credentials,
    ...["--oidc-scopes", "openid", "--oidc-issuer-url", cognito.issuer],
  ]);

  assert.match(first.authorization ?? "", /^Bearer \w+\.\w+\./);
  assert.notEqual(second.authorization, first.authorization);
  assert.equal(cognito.authorizeRequests[0]?.get("scope"), "openid");
});

Deno.test("authsome-mcp-proxy's Google command logs in at Google and refreshes", async () => {
  await using google = await startGoogle({ ...client, hostedDomain: "example.com" });

  const { first } = await play(google, [
    ...["--inbound-auth-provider", "google"],
    ...credentials,
    ...["--oidc-scopes", "openid email profile", "--oidc-issuer-url", google.issuer],
  ], { ALLOW_DOMAINS: "example.com" });

  assert.match(first.authorization ?? "", /^Bearer ya29\./);
  assert.equal(google.authorizeRequests[0]?.get("access_type"), "offline");
  assert.equal(google.authorizeRequests[0]?.get("prompt"), "consent");
});

Deno.test("authsome-mcp-proxy's Azure command logs in at Entra and refreshes", async () => {
  await using entra = await startEntra({
    ...client,
    tenantId,
    identifierUri: "api://mcp-server",
    apiScopes: ["User.Read"],
  });

  const { first } = await play(entra, [
    ...["--inbound-auth-provider", "azure"],
    ...["--azure-tenant-id", tenantId, "--azure-identifier-uri", "api://mcp-server"],
    ...credentials,
    ...["--oidc-scopes", "User.Read", "--azure-authority", entra.origin],
  ]);

  const claims = JSON.parse(
    atob(first.authorization?.split(".")[1]?.replaceAll("-", "+").replaceAll("_", "/") ?? ""),
  );
  assert.equal(claims.aud, "api://mcp-server");
  assert.equal(claims.scp, "User.Read");
  assert.match(entra.authorizeRequests[0]?.get("scope") ?? "", /api:\/\/mcp-server\/User\.Read/);
});

const onBehalfOf = (fake: StrictIdp) => ({
  args: [
    ...["--inbound-auth-provider", "azure", "--azure-tenant-id", tenantId, "--azure-authority", fake.origin],
    ...credentials,
    ...["--oidc-scopes", "use", "--outbound-auth", "token-exchange"],
  ],
  env: {
    OUTBOUND_TOKEN_URL: `${fake.origin}/${tenantId}/oauth2/v2.0/token`,
    OUTBOUND_CLIENT_ID: client.clientId,
    OUTBOUND_CLIENT_SECRET: client.clientSecret,
    OUTBOUND_SCOPES: "api://files/Files.Read",
  },
});

Deno.test("behind Entra each call goes on with a token for the upstream's own API, had on behalf of the user", async () => {
  await using entra = await startEntra({
    ...client,
    tenantId,
    apiScopes: ["use"],
    downstream: { identifierUri: "api://files", scopes: ["Files.Read", "Files.Write"] },
  });

  const { args, env } = onBehalfOf(entra);
  const { first, second, tokens } = await play(entra, args, env);

  for (const { authorization = "" } of [first, second]) {
    const { aud, scp, appid, oid } = decodeJwt(authorization.replace(/^Bearer /, ""));
    assert.deepEqual([aud, scp, appid], ["api://files", "Files.Read", client.clientId]);
    assert.equal(oid, "00000000-0000-0000-66f3-3332eca7ea81");
  }
  assert.notEqual(second.authorization, first.authorization, "a refreshed login is exchanged anew");
  assert.ok(!first.authorization?.includes(tokens.access_token));
  const exchanges = entra.tokenRequests.filter((form) => form.has("requested_token_use"));
  assert.equal(exchanges.length, 2);
});

Deno.test("what Entra refuses on behalf of a user is told apart: consent, a second factor, our own settings", async () => {
  const files = { identifierUri: "api://files", scopes: ["Files.Read"] };
  const cases = [
    { downstream: { ...files, consented: false }, status: 403, refused: /AADSTS65001/ },
    { downstream: { ...files, secondFactor: true }, status: 401, refused: /AADSTS50076/ },
    { downstream: files, scopes: "api://files/Files.Write", status: 503, refused: /AADSTS70011/ },
    { downstream: files, scopes: "api://other/.default", status: 503, refused: /AADSTS500011/ },
    { downstream: files, secret: "wrong", status: 503, refused: /invalid_client/ },
  ];
  for (const { downstream, scopes, secret, status, refused } of cases) {
    await using entra = await startEntra({ ...client, tenantId, apiScopes: ["use"], downstream });
    await using upstream = echoUpstream();
    const { args, env } = onBehalfOf(entra);
    await using http = await startHttpMode({
      upstreamUrl: upstream.url,
      args,
      env: {
        ...env,
        ...(scopes === undefined ? {} : { OUTBOUND_SCOPES: scopes }),
        ...(secret === undefined ? {} : { OUTBOUND_CLIENT_SECRET: secret }),
      },
    });
    entra.redirectUris.push(`${http.baseUrl}/auth/callback`);
    const { tokens } = await logIn(http.mcpUrl);

    const answer = await call(http.mcpUrl, tokens.access_token, { jsonrpc: "2.0", id: 1, method: "ping" });

    assert.equal(answer.status, status, await answer.text());
    assert.equal(entra.refusals.length, 1);
    assert.match(JSON.stringify(entra.refusals), refused);
    await http.process.line("stderr", refused);
  }
});

Deno.test("a user with 300 groups and a name beyond ASCII gets a token of ordinary size and through to the upstream", async () => {
  const groups = Array.from({ length: 300 }, (_, at) => `${crypto.randomUUID()}-${at}`);
  await using cognito = await startCognito({ ...client, userPoolId: "p", groups });

  const { first } = await play(cognito, [
    ...["--inbound-auth-provider", "aws-cognito"],
    ...["--cognito-user-pool-id", "p", "--cognito-aws-region", "eu-central-1"],
    ...credentials,
    ...["--oidc-issuer-url", cognito.issuer],
  ], { ALLOW_GROUPS: groups[299] ?? "" });

  assert.ok(first.authorization);
});

Deno.test("an IdP's access token of 6 KB reaches the upstream whole, and the client's own stays small", async () => {
  await using cognito = await startCognito({ ...client, userPoolId: "p", accessTokenBytes: 6_000 });

  const { first, second } = await play(cognito, [
    ...["--inbound-auth-provider", "aws-cognito"],
    ...["--cognito-user-pool-id", "p", "--cognito-aws-region", "eu-central-1"],
    ...credentials,
    ...["--oidc-issuer-url", cognito.issuer],
  ]);

  assert.ok((first.authorization ?? "").length > 6_000);
  assert.ok((second.authorization ?? "").length > 6_000);
  assert.notEqual(second.authorization, first.authorization);
});

/** Logs in with stdio mode, in the browser that it opens, and returns the headers of a call at the upstream. */
async function playStdio(fake: StrictIdp, env: Record<string, string>): Promise<Record<string, string>> {
  await using upstream = echoUpstream();
  const redirect = `http://localhost:${unusedPort()}/auth/callback`;
  fake.redirectUris.push(redirect);
  await using process = startDoorman([upstream.url], {
    env: {
      OIDC_CLIENT_ID: client.clientId,
      OIDC_CLIENT_SECRET: client.clientSecret,
      OIDC_REDIRECT_URL: redirect,
      BROWSER: browserFor("alice"),
      ...env,
    },
  });
  await process.write(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" }));
  const { result } = JSON.parse(await process.line("stdout", /"id":1/, 40_000));
  assert.deepEqual(fake.refusals, []);
  return result.headers;
}

Deno.test("stdio mode logs in at Google with its parameters for offline access", async () => {
  await using google = await startGoogle(client);

  const headers = await playStdio(google, {
    OIDC_ISSUER_URL: google.issuer,
    OIDC_AUTHORIZE_PARAMS: "access_type=offline&prompt=consent",
  });

  assert.match(headers.authorization ?? "", /^Bearer ya29\./);
});

Deno.test("stdio mode logs in at Entra, whose issuer has a path and whose metadata says nothing of PKCE", async () => {
  await using entra = await startEntra({ ...client, tenantId, apiScopes: ["use"] });

  const headers = await playStdio(entra, {
    OIDC_ISSUER_URL: `${entra.issuer}/`,
    OIDC_SCOPES: `openid offline_access api://${client.clientId}/use`,
  });

  assert.match(headers.authorization ?? "", /^Bearer \w+\./);
  assert.ok(!entra.authorizeRequests[0]?.has("resource") && !entra.tokenRequests[0]?.has("resource"));
});

Deno.test("stdio mode logs in at Cognito with a confidential client", async () => {
  await using cognito = await startCognito({ ...client, userPoolId: "pool" });

  const headers = await playStdio(cognito, { OIDC_ISSUER_URL: cognito.issuer, OIDC_SCOPES: "openid email" });

  assert.match(headers.authorization ?? "", /^Bearer \w+\./);
});
