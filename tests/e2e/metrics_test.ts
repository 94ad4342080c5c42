/**
 * Every family of docs/metrics.md rises on `/metrics` of the running program after what it counts. The list of events
 * is held to the table of metrics: a family without an event here is an error, as is an event of a family that is not.
 */
import assert from "node:assert/strict";
import { metricTable } from "../../lib/http/metric_table.ts";
import { startIdp, type TestIdp } from "../fakes/idp.ts";
import { unusedPort } from "../fakes/raw_upstream.ts";
import { startUpstream, type TestUpstream } from "../fakes/upstream.ts";
import { newBrowser } from "../support/browser.ts";
import { type HttpMode, startHttpMode } from "../support/http_mode.ts";
import { call, codeOf, logIn, redeem, refresh, register, startLogin } from "../support/oauth_client.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { testWithService } from "../support/services.ts";
import { tlsFiles } from "../support/tls.ts";

type LoggedIn = Awaited<ReturnType<typeof logIn>>;

interface Site {
  readonly idp: TestIdp;
  readonly upstream: TestUpstream;
  readonly redis: RedisServer;
  readonly http: HttpMode;
  readonly alice: LoggedIn;
  /** The admin listener's port. */
  readonly admin: number;
}

/** Brings about what is counted; returns the series that changes, and its value once it has. */
type Event = (site: Site) => Promise<string>;

const initialize = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "scripted", version: "1" } },
};
const echo = {
  jsonrpc: "2.0",
  id: 2,
  method: "tools/call",
  params: { name: "echo", arguments: { text: "x" } },
};

/** Says something to the upstream as alice; the answer's status. */
async function say(
  { http, alice }: Site,
  message: unknown,
  options: { headers?: Record<string, string>; token?: string } = {},
): Promise<number> {
  const token = options.token ?? alice.tokens.access_token;
  const answer = await call(http.mcpUrl, token, message, options.headers);
  await answer.body?.cancel();
  return answer.status;
}

/** A login at this deployment up to the code, which is not redeemed. */
async function codeFor({ http, alice: { found, client } }: Site, user: string) {
  assert.ok(client.redirectUri !== "" && http.port > 0);
  const login = await startLogin(found, client);
  const end = await newBrowser({ user }).authorize(login.url, client.redirectUri);
  return { login, code: codeOf(end, login) };
}

async function down(it: { down(): Promise<void>; up(): Promise<void> }, work: () => Promise<unknown>) {
  await it.down();
  try {
    await work();
  } finally {
    await it.up();
  }
}

const toolCall: Event = async (site) => {
  assert.equal(await say(site, echo), 400, "the upstream wants a session");
  return `{tool="echo"}`;
};
const batch: Event = async (site) => {
  await say(site, [echo, { ...echo, id: 3 }]);
  return "";
};

const events: Readonly<Record<string, Event>> = {
  async mcp_auth_tokens_issued_total({ alice: { found, client, tokens } }) {
    await refresh(found, client, tokens.refresh_token ?? "");
    return '{grant_type="refresh_token"}';
  },
  async mcp_auth_access_denied_total(site) {
    assert.equal(await say(site, initialize, { token: "no-token-of-ours" }), 401);
    return '{reason="invalid_token"}';
  },
  async mcp_auth_replay_detected_total(site) {
    const { found, client } = site.alice;
    const { login, code } = await codeFor(site, "bob");
    await redeem(found, client, login, code);
    await assert.rejects(redeem(found, client, login, code), /invalid_grant/);
    return '{kind="code"}';
  },
  async mcp_auth_clients_registered_total({ alice: { found } }) {
    await register(found.server);
    return "";
  },
  async mcp_auth_rate_limited_total({ http }) {
    for (let count = 0; count <= documentsPerMinute; count++) {
      await (await fetch(`${http.baseUrl}/.well-known/oauth-authorization-server`)).body?.cancel();
    }
    return '{endpoint="discovery"}';
  },
  async mcp_auth_idp_exchange_throttled_total(site) {
    const throttled = codeFor(site, "bob");
    await assert.rejects(throttled);
    return "";
  },
  async mcp_auth_consent_decisions_total({ alice: { found, client } }) {
    const login = await startLogin(found, client);
    await newBrowser({ user: "bob", consent: "deny" }).authorize(login.url, client.redirectUri);
    return '{decision="denied"}';
  },
  async mcp_auth_authorize_initiated_total({ alice: { found, client } }) {
    await newBrowser({ user: "bob", consent: "stop" }).open((await startLogin(found, client)).url);
    return '{path="consent"}';
  },
  async mcp_auth_groups_claim_shape_mismatch_total(site) {
    site.idp.setUser("carol", { email: "carol@example.com", email_verified: true, groups: 7 });
    await codeFor(site, "carol");
    return "";
  },
  async mcp_auth_token_seals_total(site) {
    await codeFor(site, "bob");
    return '{purpose="code"}';
  },
  mcp_auth_rpc_calls_total: toolCall,
  mcp_auth_rpc_calls_failed_total: toolCall,
  mcp_auth_rpc_request_bytes_total: toolCall,
  mcp_auth_rpc_response_bytes_total: toolCall,
  mcp_auth_rpc_batches_total: batch,
  async mcp_auth_rpc_batches_failed_total(site) {
    await down(site.upstream, () => batch(site));
    return "";
  },
  async mcp_auth_rpc_batch_bytes_total(site) {
    await batch(site);
    return '{direction="request"}';
  },
  async mcp_doorman_requests_total({ http }) {
    await (await fetch(`${http.baseUrl}/nowhere`)).body?.cancel();
    return '{route="none",status="404"}';
  },
  async mcp_doorman_request_seconds(site) {
    assert.equal(await say(site, initialize), 200);
    return '_count{route="mcp"}';
  },
  async mcp_doorman_upstream_seconds(site) {
    assert.equal(await say(site, initialize), 200);
    return "_count";
  },
  async mcp_doorman_upstream_answers_total(site) {
    assert.equal(await say(site, echo, { headers: { "content-type": "text/plain" } }), 415);
    return '{status="415"}';
  },
  async mcp_doorman_upstream_failures_total(site) {
    // The first may still find a kept connection that is just being closed.
    await down(site.upstream, async () => {
      for (let call = 0; call < 2; call++) assert.equal(await say(site, initialize), 502);
    });
    return '{kind="unreachable"}';
  },
  async mcp_doorman_idp_seconds(site) {
    await codeFor(site, "bob");
    return '_count{call="exchange"}';
  },
  async mcp_doorman_idp_calls_total(site) {
    site.idp.fail("/token", 503);
    await assert.rejects(codeFor(site, "bob"));
    site.idp.fail("/token", undefined);
    return '{call="exchange",outcome="failed"}';
  },
  async mcp_doorman_idp_reached({ idp, http }) {
    await idp.up();
    await http.process.line("stderr", /"idp_reached"/);
    return "";
  },
  async mcp_doorman_store_seconds(site) {
    await codeFor(site, "bob");
    return '_count{operation="putIf"}';
  },
  async mcp_doorman_store_calls_total({ redis, admin }) {
    await redis.kill();
    await untilReadyIs(admin, 503);
    return '{operation="ping",outcome="failed"}';
  },
  async mcp_doorman_store_up({ redis, admin }) {
    await redis.kill();
    await untilReadyIs(admin, 503);
    return "";
  },
  async mcp_doorman_streams_open({ http, alice }) {
    const headers = { authorization: `Bearer ${alice.tokens.access_token}` };
    const answer = await call(http.mcpUrl, alice.tokens.access_token, initialize);
    const session = answer.headers.get("mcp-session-id") ?? "";
    await answer.body?.cancel();
    const stream = await fetch(http.mcpUrl, {
      headers: { ...headers, accept: "text/event-stream", "mcp-session-id": session },
    });
    assert.equal(stream.status, 200);
    open.push(stream);
    return "";
  },
  async mcp_doorman_login_steps_total(site) {
    await codeFor(site, "bob");
    return '{step="callback",client="scripted client"}';
  },
  async mcp_doorman_token_unused_total({ http }) {
    await http.process.line("stderr", /"token_unused".*"Never calls".*user agent/, 90_000);
    return '{client="Never calls"}';
  },
  async mcp_doorman_tls_reloads_total({ http }) {
    await Deno.copyFile(tlsFiles.clientCert, `${http.process.home}/tls.crt`);
    await Deno.copyFile(tlsFiles.clientKey, `${http.process.home}/tls.key`);
    await http.process.line("stderr", /"tls_certificate_renewed"/);
    return '{outcome="ok"}';
  },
};

/** What an event's deployment is started with, where it is not the one that all others share. */
const special: Readonly<Record<string, "tls" | "idp down" | "throttled" | "store">> = {
  mcp_doorman_tls_reloads_total: "tls",
  mcp_doorman_idp_reached: "idp down",
  mcp_auth_idp_exchange_throttled_total: "throttled",
  mcp_doorman_store_calls_total: "store",
  mcp_doorman_store_up: "store",
};

const open: Response[] = [];
const documentsPerMinute = 100;

Deno.test("every metric of the table has an event, and every event a metric", () => {
  assert.deepEqual(Object.keys(events).sort(), Object.keys(metricTable).sort());
  for (const name of Object.keys(special)) assert.ok(Object.hasOwn(events, name), name);
});

testWithService("redis", "every metric is on /metrics after the event that it counts", async (path, t) => {
  const shared = Object.keys(events).filter((name) => !Object.hasOwn(special, name));
  await using site = await deploy(path);
  // Somebody logs in and never calls: that is seen a minute later, last of all.
  const { found } = site.alice;
  const client = await register(found.server, { client_name: "Never calls" });
  const login = await startLogin(found, client);
  const end = await newBrowser({ user: "bob" }).authorize(login.url, client.redirectUri);
  await redeem(found, client, login, codeOf(end, login));
  const last = ["mcp_auth_rate_limited_total", "mcp_doorman_token_unused_total"];
  const order = [...shared.filter((name) => !last.includes(name)), ...last];
  for (const name of order) await t.step(name, () => isCounted(name, site));
  for (const stream of open) await stream.body?.cancel();
});

testWithService("redis", "and so are those that only a deployment of their own can show", async (path, t) => {
  for (const [name, kind] of Object.entries(special)) {
    await t.step(name, async () => {
      const env = kind === "throttled" ? { IDP_EXCHANGE_RATE_PER_SEC: "0.001", IDP_EXCHANGE_BURST: "1" } : {};
      await using site = await deploy(path, { env, tls: kind === "tls", idpDown: kind === "idp down" });
      await isCounted(name, site);
    });
  }
});

/** Whether the event changes the metric, which has help and type, and the labels of the table. */
async function isCounted(name: string, site: Site): Promise<void> {
  const before = await scrape(site.admin);
  const series = name + await events[name]?.(site);
  const after = await scrape(site.admin);

  const { kind, labels = [] } = metricTable[name] ?? {};
  assert.ok(after.text.includes(`\n# TYPE ${name} ${kind}\n`), name);
  const [, said = ""] = /\{(.*)\}/.exec(series) ?? [];
  assert.deepEqual([...said.matchAll(/(\w+)=/g)].map(([, label]) => label), labels);
  const [had, has] = [before.values.get(series) ?? 0, after.values.get(series)];
  assert.ok(has !== undefined, `${series} is not in\n${after.text}`);
  if (name === "mcp_doorman_store_up") assert.deepEqual([had, has], [1, 0]);
  else assert.ok(has > had, `${series} was ${had} and is ${has}`);
}

async function scrape(port: number): Promise<{ text: string; values: Map<string, number> }> {
  const text = "\n" + await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const values = new Map<string, number>();
  for (const [, series = "", value] of text.matchAll(/^([a-z]\S*(?:\{.*\})?) (\S+)$/gm)) {
    values.set(series, Number(value));
  }
  return { text, values };
}

async function untilReadyIs(port: number, status: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
    await answer.body?.cancel();
    if (answer.status === status) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail(`/readyz is not ${status}`);
}

interface Deploying {
  readonly env?: Record<string, string>;
  readonly tls?: boolean;
  readonly idpDown?: boolean;
}

/** A whole deployment of its own, and alice, who has logged in and called. */
async function deploy(
  redisPath: string,
  { env = {}, tls = false, idpDown = false }: Deploying = {},
): Promise<Site & AsyncDisposable> {
  await using made = new AsyncDisposableStack();
  const idp = made.use(await startIdp());
  const upstream = made.use(startUpstream());
  const redis = made.use(await startRedis(redisPath));
  const admin = unusedPort();
  const home = await Deno.makeTempDir();
  made.defer(() => Deno.remove(home, { recursive: true }));
  if (tls) {
    await Deno.copyFile(tlsFiles.serverCert, `${home}/tls.crt`);
    await Deno.copyFile(tlsFiles.serverKey, `${home}/tls.key`);
  }
  if (idpDown) await idp.down();
  const port = unusedPort();
  const http = made.use(
    await startHttpMode({
      ...{ idp, home, port, upstreamUrl: upstream.url, dontWait: tls },
      ...(tls ? { baseUrl: `https://localhost:${port}` } : {}),
      env: {
        METRICS_ADDR: `127.0.0.1:${admin}`,
        MCP_TOOL_METRICS: "true",
        RATE_LIMIT_DISCOVERY: String(documentsPerMinute),
        OIDC_SCOPES: "openid profile email groups",
        REDIS_URL: redis.url,
        TOKEN_SIGNING_SECRET: "0123456789abcdefghijklmnopqrstuvwxyz-metrics",
        ...(tls ? { TLS_CERT_FILE: `${home}/tls.crt`, TLS_KEY_FILE: `${home}/tls.key` } : {}),
        ...env,
      },
    }),
  );
  await http.process.line("stderr", /"metrics_listening"/);
  const alice = tls || idpDown ? nobody : await logIn(http.mcpUrl);
  const site = { idp, upstream, redis, http, alice, admin };
  if (alice !== nobody) assert.equal(await say(site, initialize), 200);
  const all = made.move();
  return { ...site, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** Where nobody can log in yet. */
const nobody = {} as LoggedIn;
