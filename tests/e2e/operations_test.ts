/** What an operator sees of the running program: metrics after the events they count, and no secret anywhere. */
import assert from "node:assert/strict";
import { startIdp } from "../fakes/idp.ts";
import { unusedPort } from "../fakes/raw_upstream.ts";
import { startUpstream } from "../fakes/upstream.ts";
import { newBrowser } from "../support/browser.ts";
import { startHttpMode } from "../support/http_mode.ts";
import {
  call,
  codeOf,
  discover,
  logIn,
  redeem,
  refresh,
  register,
  startLogin,
  tokenRequest,
} from "../support/oauth_client.ts";
import { connectStdioV1 } from "../support/stdio_client.ts";

const signingSecret = "canary-signing-Zk8Qv4Jr2Tn6Xw9Bc3Df5Gh7Lm1Sy0Ua";
const clientSecret = "canary-client-secret-9Qw3Er7Ty1Ui5Op";

Deno.test("no secret, token, code, cookie or key is in any output of http mode at the most talkative level", async () => {
  await using idp = await startIdp({ audience: "mcp-server" });
  await using upstream = startUpstream({
    validating: { issuer: idp.issuer, audience: "mcp-server", metadata: false },
  });
  const admin = unusedPort();
  await using http = await startHttpMode({
    idp,
    upstreamUrl: upstream.url,
    args: ["--outbound-auth", "forward", "--audience", "mcp-server"],
    env: {
      LOG_LEVEL: "trace",
      TOKEN_SIGNING_SECRET: signingSecret,
      METRICS_ADDR: `127.0.0.1:${admin}`,
      MCP_TOOL_METRICS: "true",
    },
  });
  const secrets = new Map<string, string>([["signing secret", signingSecret], [
    "client secret",
    idp.clientSecret,
  ]]);

  const browser = newBrowser({ user: "alice" });
  const found = await discover(http.mcpUrl);
  const client = await register(found.server, { token_endpoint_auth_method: "client_secret_post" });
  const login = await startLogin(found, client, { state: "canary-state-5f3c1b" });
  const end = await browser.authorize(login.url, client.redirectUri);
  const code = codeOf(end, login);
  const tokens = await redeem(found, client, login, code);
  const renewed = await refresh(found, client, tokens.refresh_token ?? "");
  const initialized = await call(http.mcpUrl, renewed.access_token, initialize);
  const session = initialized.headers.get("mcp-session-id") ?? "";
  await initialized.body?.cancel();
  const secretText = "canary-argument-7d1e";
  await (await call(http.mcpUrl, renewed.access_token, toolCall("echo", { text: secretText }), {
    "mcp-session-id": session,
    "cookie": "canary=canary-cookie-44",
    "x-api-key": "canary-api-key-11",
  })).body?.cancel();
  await (await call(`${http.mcpUrl}?key=canary-query-93`, "canary-bad-token-31", initialize)).body?.cancel();
  await tokenRequest(found.server, client, {
    grant_type: "authorization_code",
    code,
    code_verifier: login.verifier,
  });
  await tokenRequest(found.server, { ...client, clientSecret: "canary-wrong-secret-8" }, {
    grant_type: "refresh_token",
    refresh_token: "canary-wrong-refresh-2",
  });
  const metrics = await (await fetch(`http://127.0.0.1:${admin}/metrics`)).text();
  await http.stop();

  secrets.set("code", code);
  secrets.set("state", "canary-state-5f3c1b");
  secrets.set("verifier", login.verifier);
  secrets.set("access token", tokens.access_token);
  secrets.set("refresh token", tokens.refresh_token ?? "-");
  secrets.set("registered secret", client.clientSecret ?? "-");
  secrets.set("session", session);
  secrets.set("argument", secretText);
  const sent = upstream.received.at(-1)?.headers.get("authorization") ?? "Bearer -";
  secrets.set("the IdP's access token", sent.slice("Bearer ".length));
  for (const request of idp.tokenRequests) {
    for (const name of ["code", "code_verifier", "refresh_token"]) {
      const value = request.get(name);
      if (value !== null) secrets.set(`the IdP's ${name}`, value);
    }
  }
  for (const request of idp.authorizeRequests) {
    for (const name of ["state", "nonce", "code_challenge"]) {
      const value = request.get(name);
      if (value !== null) secrets.set(`${name} at the IdP`, value);
    }
  }
  for (const cookie of browser.cookies.values()) {
    if (cookie.value.length > 8) secrets.set(`cookie ${cookie.name}`, cookie.value);
  }
  const output = [...http.process.stderr, ...http.process.stdout, metrics].join("\n");
  assert.ok(http.process.stderr.length > 10);
  assertShown(output, "idp_token", idp.issuer);
  for (const [what, secret] of secrets) {
    assert.ok(secret.length > 8, what);
    assert.ok(!output.includes(secret), `${what} is in ${lineWith(output, secret)}`);
  }
  assert.doesNotMatch(output, /canary-/);
});

Deno.test("no token or secret is in any output of stdio mode at the most talkative level", async () => {
  await using idp = await startIdp({ audience: "mcp-server" });
  await using upstream = startUpstream({
    validating: { issuer: idp.issuer, audience: "mcp-server", metadata: false },
  });
  const redirect = `http://localhost:${unusedPort()}/auth/callback`;
  await idp.addClient({ client_id: "c", client_secret: clientSecret, redirect_uris: [redirect] });
  const home = await Deno.makeTempDir();
  let output: string;
  try {
    const session = await connectStdioV1({
      upstreamUrl: upstream.url,
      home,
      user: "alice",
      env: {
        LOG_LEVEL: "trace",
        OIDC_ISSUER_URL: idp.issuer,
        OIDC_CLIENT_ID: "c",
        OIDC_CLIENT_SECRET: clientSecret,
        OIDC_REDIRECT_URL: redirect,
      },
    });
    await session.client.callTool({ name: "echo", arguments: { text: "canary-argument-7d1e" } });
    await session[Symbol.asyncDispose]();
    // The login's address is meant to be read; its parameters are good for this one login only.
    output = session.stderr.filter((line) => !session.logins.some((url) => line.includes(url))).join("\n");
  } finally {
    await Deno.remove(home, { recursive: true });
  }

  assertShown(output, "token", idp.issuer);
  const request = idp.tokenRequests.at(-1);
  const token = upstream.received.at(-1)?.headers.get("authorization")?.slice("Bearer ".length) ?? "";
  assert.ok(token.length > 100);
  for (
    const secret of [clientSecret, token, request?.get("code") ?? "-", request?.get("code_verifier") ?? "-"]
  ) {
    assert.ok(!output.includes(secret), lineWith(output, secret));
  }
  assert.doesNotMatch(output, /canary-argument/);
});

Deno.test("the counted events of a login, its refusals and its calls are on /metrics", async () => {
  await using idp = await startIdp();
  await using upstream = startUpstream();
  const admin = unusedPort();
  await using http = await startHttpMode({
    idp,
    upstreamUrl: upstream.url,
    env: { METRICS_ADDR: `127.0.0.1:${admin}` },
  });
  const { found, client, tokens } = await logIn(http.mcpUrl);
  const renewed = await refresh(found, client, tokens.refresh_token ?? "");
  const answer = await call(http.mcpUrl, renewed.access_token, initialize);
  await answer.body?.cancel();
  const denied = await startLogin(found, client);
  await newBrowser({ user: "bob", consent: "deny" }).authorize(denied.url, client.redirectUri);
  await (await call(http.mcpUrl, "no-token-of-ours", initialize)).body?.cancel();
  await upstream.down();
  await (await call(http.mcpUrl, renewed.access_token, initialize)).body?.cancel();

  const text = await (await fetch(`http://127.0.0.1:${admin}/metrics`)).text();

  for (
    const series of [
      "mcp_auth_clients_registered_total 1",
      'mcp_auth_authorize_initiated_total{path="consent"} 2',
      'mcp_auth_consent_decisions_total{decision="approved"} 1',
      'mcp_auth_consent_decisions_total{decision="denied"} 1',
      'mcp_auth_tokens_issued_total{grant_type="authorization_code"} 1',
      'mcp_auth_tokens_issued_total{grant_type="refresh_token"} 1',
      'mcp_auth_access_denied_total{reason="invalid_token"} 1',
      'mcp_doorman_login_steps_total{step="token",client="scripted client"} 1',
      'mcp_doorman_login_steps_total{step="first_request",client="scripted client"} 1',
      "mcp_doorman_streams_open 0",
    ]
  ) assert.ok(text.includes(`\n${series}\n`), `${series} is not in\n${text}`);
  assert.match(text, /^mcp_auth_token_seals_total\{purpose="access"\} \d/m);
  assert.match(text, /^mcp_doorman_upstream_failures_total\{kind="\w+"\} 1$/m);
  assert.match(text, /^mcp_doorman_requests_total\{route="mcp",status="200"\} 1$/m);
});

Deno.test("all lines of one request have its id, which the answer and the page show; refusals and users stand in them", async () => {
  await using idp = await startIdp();
  await using upstream = startUpstream();
  await using http = await startHttpMode({ idp, upstreamUrl: upstream.url, env: { LOG_LEVEL: "info" } });
  const { found, client } = await logIn(http.mcpUrl);
  const refused = await tokenRequest(found.server, client, {
    grant_type: "refresh_token",
    refresh_token: "no-refresh-token-of-ours",
  });
  const unknown = await startLogin(found, { ...client, clientId: "no-client-of-ours" });
  const page = await newBrowser({ user: "alice" }).open(unknown.url);
  await http.stop();

  const lines = http.process.stderr.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  const events = (id: string | null) =>
    lines.filter(({ requestId }) => requestId === id).map(({ msg }) => msg);
  const ofRequest = (id: string | null) =>
    lines.find((line) => line.msg === "request" && line.requestId === id);
  const token = refused.headers.get("x-request-id");
  assert.deepEqual(events(token), ["access_denied_refresh_invalid", "request"]);
  assert.deepEqual([ofRequest(token).status, ofRequest(token).reason], [400, "refresh_invalid"]);
  const authorize = page.headers.get("x-request-id");
  assert.ok(authorize !== null && page.text.includes(authorize));
  assert.deepEqual(events(authorize), ["access_denied_client_id_invalid", "request"]);
  const told = lines.filter(({ msg, requestId }) => msg !== "request" && requestId !== undefined)
    .map(({ msg }) => msg);
  assert.deepEqual(told.slice(0, 4), [
    "client_registered",
    "consent_approved",
    "callback_success",
    "token_issued",
  ]);
  assert.equal(lines.find(({ msg }) => msg === "token_issued").subject, "alice");
  const ids = lines.filter(({ msg }) => msg === "request").map(({ requestId }) => requestId);
  assert.equal(new Set(ids).size, ids.length);
});

Deno.test("not ready until the IdP was reached; later troubles of IdP and upstream are named and take nobody away", async () => {
  await using idp = await startIdp();
  const upstream = startUpstream();
  const admin = unusedPort();
  await idp.down();
  await using http = await startHttpMode({
    idp,
    upstreamUrl: upstream.url,
    env: { METRICS_ADDR: `127.0.0.1:${admin}` },
  });
  const ready = async () => {
    const answer = await fetch(`http://127.0.0.1:${admin}/readyz`);
    return [answer.status, await answer.text()];
  };
  assert.deepEqual(await ready(), [503, '{"status":"idp_not_reached"}']);

  await idp.up();
  await http.process.line("stderr", /"idp_reached"/);
  const until = async (wanted: [number, string]) => {
    // An answer that was bad is kept for five seconds.
    for (let attempt = 0; attempt < 80; attempt++) {
      const got = await ready();
      if (got.join() === wanted.join()) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.deepEqual(await ready(), wanted);
  };
  await until([200, '{"status":"ok"}']);
  await logIn(http.mcpUrl);
  await upstream[Symbol.asyncDispose]();
  await until([200, '{"status":"degraded","degraded":["upstream"]}']);
  const health = await fetch(`${http.baseUrl}/healthz`, { method: "HEAD" });
  assert.equal(health.status, 200);
  assert.equal((await fetch(`${http.baseUrl}/metrics`).then(drained)).status === 200, false);
  assert.equal((await fetch(`${http.baseUrl}/readyz`).then(drained)).status === 200, false);
});

const initialize = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "scripted", version: "1" } },
};

function toolCall(name: string, args: Record<string, unknown>) {
  return { jsonrpc: "2.0", id: 2, method: "tools/call", params: { name, arguments: args } };
}

function lineWith(output: string, text: string): string {
  return output.split("\n").find((line) => line.includes(text)) ?? "";
}

async function drained(response: Response): Promise<Response> {
  await response.body?.cancel();
  return response;
}

/** The token that the IdP gave is in the log as what tells it from another. */
function assertShown(output: string, event: string, issuer: string): void {
  const line = lineWith(output, `"msg":"${event}"`);
  const shown = JSON.parse(line.slice(line.indexOf("{")));
  assert.equal(shown.issuer, issuer);
  assert.equal(shown.audience, "mcp-server");
  assert.match(shown.scopes, /\S/);
  assert.ok(Date.parse(shown.expiresAt) > Date.now());
}
