/** Several processes on one Redis, and what happens when one of them, or Redis, goes away. */
import assert from "node:assert/strict";
import { startIdp, type TestIdp } from "../fakes/idp.ts";
import { startHandler, unusedPort } from "../fakes/raw_upstream.ts";
import { newBrowser } from "../support/browser.ts";
import { startHttpMode, untilAnswering } from "../support/http_mode.ts";
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
import type { DoormanProcess } from "../support/process.ts";
import { startRedis } from "../support/redis.ts";
import { startRoundRobin } from "../support/round_robin.ts";
import { testWithService } from "../support/services.ts";

const ping = { jsonrpc: "2.0", id: 1, method: "ping" };
const secret = "one-secret-for-all-replicas-0123456789";
const unlimited = { RATE_LIMIT_ENABLED: "false", PROD_MODE: "false", METRICS_ADDR: "127.0.0.1:0" };

async function statusOf(mcpUrl: string, token: string): Promise<number> {
  const response = await call(mcpUrl, token, ping);
  await response.body?.cancel();
  return response.status;
}

testWithService(
  "redis",
  "while Redis is lost tokens keep working and refreshes say try again; then all is well again",
  async (path) => {
    await using redis = await startRedis(path);
    await using idp = await startIdp();
    await using upstream = startHandler(() => Response.json({}));
    const env = { REDIS_URL: redis.url, TOKEN_SIGNING_SECRET: secret };
    await using http = await startHttpMode({ idp, upstreamUrl: upstream.url, env });
    const { found, client, tokens } = await logIn(http.mcpUrl);
    const again = await refresh(found, client, tokens.refresh_token ?? "");
    assert.equal(await statusOf(http.mcpUrl, again.access_token), 200);

    await redis.kill();
    const form = { grant_type: "refresh_token", refresh_token: again.refresh_token ?? "" };
    const begun = performance.now();
    const lost = await tokenRequest(found.server, client, form);

    assert.equal(lost.status, 503);
    assert.equal(lost.body.error, "temporarily_unavailable");
    assert.ok(lost.headers.has("retry-after"));
    assert.ok(performance.now() - begun < 3_000);
    // Longer than a revocation may stay unnoticed, so that the store is asked, and is not there.
    for (let round = 0; round < 3; round++) {
      assert.equal(await statusOf(http.mcpUrl, again.access_token), 200);
      await new Promise((resolve) => setTimeout(resolve, 600));
    }
    assert.equal(await statusOf(http.mcpUrl, again.access_token), 200);

    await using _back = await startRedis(path, { port: redis.port });
    for (let attempt = 0; (await tokenRequest(found.server, client, form)).status === 503; attempt++) {
      assert.ok(attempt < 100, "Redis is back and nobody noticed");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const next = await logIn(http.mcpUrl);
    assert.equal(await statusOf(http.mcpUrl, next.tokens.access_token), 200);
  },
);

/** One replica of the bridge behind `baseUrl`. */
async function startReplica(
  idp: TestIdp,
  baseUrl: string,
  { port, upstream, redis }: { port: number; upstream: string; redis: string },
): Promise<DoormanProcess> {
  const env = { REDIS_URL: redis, TOKEN_SIGNING_SECRET: secret, ...unlimited };
  const options = { idp, port, baseUrl, upstreamUrl: upstream, dontWait: true, env };
  return (await startHttpMode(options)).process;
}

testWithService(
  "redis",
  "200 logins and 200 refreshes over two replicas, one of them killed meanwhile: none fails",
  async (path) => {
    await using redis = await startRedis(path);
    await using idp = await startIdp();
    await using upstream = startHandler(() => Response.json({}));
    await using balancer = startRoundRobin();
    const { origin } = balancer;
    await idp.addRedirect(`${origin}/auth/callback`);
    const ports = [unusedPort(), unusedPort()];
    const start = (port: number) =>
      startReplica(idp, origin, { port, upstream: upstream.url, redis: redis.url });
    await using _one = await start(ports[0] ?? 0);
    const victim = await start(ports[1] ?? 0);
    await Promise.all(ports.map((port) => untilAnswering(`http://127.0.0.1:${port}/healthz`)));
    balancer.ports = ports;
    const mcpUrl = `${origin}/mcp`;
    const found = await discover(mcpUrl);
    const failures: string[] = [];
    let done = 0;

    let cut = 0;

    /** For an answer that was cut off, and nothing else. */
    async function again<T>(error: Error, once: () => Promise<T>): Promise<T> {
      if (!error.message.includes("bad_gateway")) throw error;
      cut++;
      return await once();
    }

    async function user(number: number): Promise<void> {
      try {
        const client = await register(found.server);
        const browser = newBrowser({ user: number % 2 === 0 ? "alice" : "bob" });
        const logInOnce = async () => {
          const login = await startLogin(found, client);
          const end = await browser.authorize(login.url, client.redirectUri);
          return await redeem(found, client, login, codeOf(end, login));
        };
        // A code is good once, so a login whose last answer was lost with its process is begun again.
        const tokens = await logInOnce().catch((error) => again(error, logInOnce));
        const refreshOnce = () => refresh(found, client, tokens.refresh_token ?? "");
        const renewed = await refreshOnce().catch((error) => again(error, refreshOnce));
        assert.equal(await statusOf(mcpUrl, renewed.access_token), 200);
      } catch (error) {
        failures.push(`${number}: ${(error as Error).message}`);
      }
      done++;
    }

    let killed = false;
    let revived: Promise<DoormanProcess> | undefined;
    const numbers = Array.from({ length: 200 }, (_, at) => at);
    const workers = Array.from({ length: 10 }, async () => {
      for (let number = numbers.shift(); number !== undefined; number = numbers.shift()) {
        await user(number);
        if (done >= 60 && !killed) {
          killed = true;
          victim.signal("SIGKILL");
        }
        if (done >= 110) revived ??= start(ports[1] ?? 0);
      }
    });
    try {
      await Promise.all(workers);
    } finally {
      await victim[Symbol.asyncDispose]();
      await (await revived)?.[Symbol.asyncDispose]();
    }

    assert.deepEqual(failures, []);
    assert.equal(balancer.failed, 0);
    assert.ok(cut <= 10, `${cut} answers were cut off`);
  },
);

Deno.test("signing keys are rotated by restarts, and nobody is logged out until the old secret is dropped", async () => {
  await using idp = await startIdp();
  await using upstream = startHandler(() => Response.json({}));
  const port = unusedPort();
  const home = await Deno.makeTempDir();
  const start = (env: Record<string, string>) =>
    startHttpMode({ idp, upstreamUrl: upstream.url, port, home, env });
  const [oldSecret, newSecret] = [
    "the-old-secret-0123456789-abcdefghi",
    "the-new-secret-0123456789-abcdefghi",
  ];
  try {
    let http = await start({ TOKEN_SIGNING_SECRET: oldSecret });
    const { found, client, tokens } = await logIn(http.mcpUrl);
    await http.stop();

    http = await start({ TOKEN_SIGNING_SECRET: newSecret, TOKEN_SIGNING_SECRETS_PREVIOUS: oldSecret });
    assert.equal(await statusOf(http.mcpUrl, tokens.access_token), 200);
    const renewed = await refresh(found, client, tokens.refresh_token ?? "");
    const login = await startLogin(found, client);
    const end = await newBrowser({ user: "alice" }).authorize(login.url, client.redirectUri);
    await redeem(found, client, login, codeOf(end, login));
    assert.ok(http.process.stderr.some((line) => line.includes("token_signing_rotation_in_progress")));
    await http.stop();

    http = await start({ TOKEN_SIGNING_SECRET: newSecret });
    assert.equal(await statusOf(http.mcpUrl, renewed.access_token), 200);
    assert.equal(await statusOf(http.mcpUrl, tokens.access_token), 401);
    const { status, body } = await tokenRequest(found.server, client, {
      grant_type: "refresh_token",
      refresh_token: tokens.refresh_token ?? "",
    });
    // The registration itself was sealed under the dropped secret, and that is what heals a client.
    assert.deepEqual([status, body.error], [401, "invalid_client"]);
    await http.stop();
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});
