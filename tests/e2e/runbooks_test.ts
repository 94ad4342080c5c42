/** The runbooks in docs/runbooks/, played on the running program with the commands that they give. */
import assert from "node:assert/strict";
import { startIdp, type TestIdp } from "../fakes/idp.ts";
import { unusedPort } from "../fakes/raw_upstream.ts";
import { startUpstream } from "../fakes/upstream.ts";
import { newBrowser } from "../support/browser.ts";
import { type HttpMode, startHttpMode } from "../support/http_mode.ts";
import { call, codeOf, logIn, redeem, refresh, startLogin } from "../support/oauth_client.ts";
import { runDoorman } from "../support/process.ts";

/** One deployment that is started again and again with other settings. */
class Deployment implements AsyncDisposable {
  readonly #home = Deno.makeTempDirSync();
  readonly #port = unusedPort();
  readonly admin = unusedPort();
  #running: HttpMode | undefined;

  constructor(private readonly idp: TestIdp, private readonly upstreamUrl: string) {}

  /** Stops what runs and starts it with these variables. */
  async start(env: Record<string, string>): Promise<HttpMode> {
    await this.#stop();
    this.#running = await startHttpMode({
      idp: this.idp,
      upstreamUrl: this.upstreamUrl,
      home: this.#home,
      port: this.#port,
      env: { METRICS_ADDR: `127.0.0.1:${this.admin}`, ...env },
    });
    return this.#running;
  }

  /** Runs another command with the deployment's settings. */
  async run(
    args: readonly string[],
    env: Record<string, string>,
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    return await runDoorman(args, {
      home: this.#home,
      env: {
        MCP_PROXY_TRANSPORT: "http",
        MCP_PROXY_BASE_URL: `http://localhost:${this.#port}`,
        MCP_PROXY_HOST: "127.0.0.1",
        INBOUND_AUTH_PROVIDER: "oidc",
        OIDC_ISSUER_URL: this.idp.issuer,
        OIDC_CLIENT_ID: this.idp.clientId,
        OIDC_CLIENT_SECRET: this.idp.clientSecret,
        OUTBOUND_AUTH: "none",
        UPSTREAM_MCP_URL: this.upstreamUrl,
        METRICS_ADDR: `127.0.0.1:${this.admin}`,
        ...env,
      },
    });
  }

  async #stop(): Promise<void> {
    if (this.#running === undefined) return;
    await this.#running.stop();
    await this.#running[Symbol.asyncDispose]();
    this.#running = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
    await Deno.remove(this.#home, { recursive: true });
  }
}

async function newSecret(): Promise<string> {
  const { code, stdout } = await runDoorman(["secret"]);
  assert.equal(code, 0);
  assert.ok(stdout.length >= 32);
  return stdout;
}

async function status(mcpUrl: string, token: string): Promise<number> {
  const answer = await call(mcpUrl, token, {
    jsonrpc: "2.0",
    id: 1,
    method: "initialize",
    params: {
      protocolVersion: "2025-06-18",
      capabilities: {},
      clientInfo: { name: "scripted", version: "1" },
    },
  });
  await answer.body?.cancel();
  return answer.status;
}

Deno.test("key rotation: nobody notices while the old key is kept, and it is worthless when it is gone", async () => {
  await using idp = await startIdp();
  await using upstream = startUpstream();
  await using deployment = new Deployment(idp, upstream.url);
  const [first, second] = [await newSecret(), await newSecret()];
  const { mcpUrl } = await deployment.start({ TOKEN_SIGNING_SECRET: first });
  const before = await logIn(mcpUrl);

  await deployment.start({ TOKEN_SIGNING_SECRET: second, TOKEN_SIGNING_SECRETS_PREVIOUS: first });
  assert.equal(await status(mcpUrl, before.tokens.access_token), 200);
  const renewed = await refresh(before.found, before.client, before.tokens.refresh_token ?? "");
  const login = await startLogin(before.found, before.client);
  const end = await before.browser.authorize(login.url, before.client.redirectUri);
  await redeem(before.found, before.client, login, codeOf(end, login));
  const fresh = await logIn(mcpUrl, { user: "bob" });

  await deployment.start({ TOKEN_SIGNING_SECRET: second });
  assert.equal(await status(mcpUrl, before.tokens.access_token), 401);
  assert.equal(await status(mcpUrl, renewed.access_token), 200);
  assert.equal(await status(mcpUrl, fresh.tokens.access_token), 200);
});

Deno.test("bulk revocation: one user's logins end at the running server, others go on", async () => {
  await using idp = await startIdp();
  await using upstream = startUpstream();
  await using deployment = new Deployment(idp, upstream.url);
  const secret = { TOKEN_SIGNING_SECRET: await newSecret() };
  const { mcpUrl } = await deployment.start(secret);
  const alice = await logIn(mcpUrl, { user: "alice" });
  const bob = await logIn(mcpUrl, { user: "bob" });
  assert.equal(await status(mcpUrl, alice.tokens.access_token), 200);

  const { code, stdout, stderr } = await deployment.run(["revoke", "--subject", "alice"], secret);

  assert.equal(code, 0, stderr);
  assert.match(stdout, /alice/);
  await until(async () => await status(mcpUrl, alice.tokens.access_token) === 401);
  await assert.rejects(refresh(alice.found, alice.client, alice.tokens.refresh_token ?? ""), /invalid_grant/);
  assert.equal(await status(mcpUrl, bob.tokens.access_token), 200);
  const again = await logIn(mcpUrl, { user: "alice" });
  assert.equal(await status(mcpUrl, again.tokens.access_token), 200);
});

Deno.test("bulk revocation: REVOKE_BEFORE ends everything older, and new logins work", async () => {
  await using idp = await startIdp();
  await using upstream = startUpstream();
  await using deployment = new Deployment(idp, upstream.url);
  const secret = { TOKEN_SIGNING_SECRET: await newSecret() };
  const { mcpUrl } = await deployment.start(secret);
  const old = await logIn(mcpUrl);
  // Its resolution is a second.
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  const cutoff = new Date(Math.floor(Date.now() / 1000) * 1000).toISOString();

  await deployment.start({ ...secret, REVOKE_BEFORE: cutoff });

  assert.equal(await status(mcpUrl, old.tokens.access_token), 401);
  await assert.rejects(refresh(old.found, old.client, old.tokens.refresh_token ?? ""), /invalid_grant/);
  const fresh = await logIn(mcpUrl);
  assert.equal(await status(mcpUrl, fresh.tokens.access_token), 200);
  const metrics = await (await fetch(`http://127.0.0.1:${deployment.admin}/metrics`)).text();
  assert.match(metrics, /mcp_auth_access_denied_total\{reason="token_revoked_iat_cutoff"\} 1/);
});

Deno.test("lost registrations: the page says so, and they come back with the old secret", async () => {
  await using idp = await startIdp();
  await using upstream = startUpstream();
  await using deployment = new Deployment(idp, upstream.url);
  const [first, second] = [await newSecret(), await newSecret()];
  const { mcpUrl } = await deployment.start({ TOKEN_SIGNING_SECRET: first });
  const { found, client } = await logIn(mcpUrl);
  const login = await startLogin(found, client);

  await deployment.start({ TOKEN_SIGNING_SECRET: second });
  const lost = await newBrowser({ user: "alice" }).open(login.url);
  assert.ok(lost.status >= 400 && lost.status < 500);
  assert.match(lost.text, /not known here/);

  await deployment.start({ TOKEN_SIGNING_SECRET: second, TOKEN_SIGNING_SECRETS_PREVIOUS: first });
  const end = await newBrowser({ user: "alice" }).authorize(login.url, client.redirectUri);
  await redeem(found, client, login, codeOf(end, login));
});

Deno.test("upgrade: the check of the configuration, a restart, and the same tokens go on", async () => {
  await using idp = await startIdp();
  await using upstream = startUpstream();
  await using deployment = new Deployment(idp, upstream.url);
  const secret = { TOKEN_SIGNING_SECRET: await newSecret() };
  const { mcpUrl } = await deployment.start(secret);
  const { tokens } = await logIn(mcpUrl);

  const checked = await deployment.run(["--check-config"], secret);
  assert.equal(checked.code, 0, checked.stderr);
  await deployment.start(secret);

  assert.equal(await status(mcpUrl, tokens.access_token), 200);
  assert.match((await runDoorman(["--version"])).stdout, /^mcp-doorman \d+\.\d+\.\d+/);
});

async function until(check: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt++) {
    if (await check()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail("It did not come about within 5 s");
}
