import assert from "node:assert/strict";
import { startIdp } from "../fakes/idp.ts";
import { startHandler, unusedPort } from "../fakes/raw_upstream.ts";
import { type HttpMode, startHttpMode } from "../support/http_mode.ts";
import { logIn, refresh } from "../support/oauth_client.ts";
import { startRedis } from "../support/redis.ts";
import { testWithService } from "../support/services.ts";
import { startNotingUpstream, startSteadyLoad } from "../support/steady_load.ts";

const body = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}}';

async function untilReady(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.ok === true) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("the workers did not get ready");
}

/** Calls over a new connection each time, so that the system spreads them. */
async function callMany(mcpUrl: string, token: string, count: number): Promise<number> {
  const statuses = await Promise.all(Array.from({ length: count }, async () => {
    const client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const response = await fetch(mcpUrl, { method: "POST", headers, body, client });
    await response.body?.cancel();
    client.close();
    return response.status;
  }));
  return statuses.filter((status) => status === 200).length;
}

testWithService(
  "redis",
  "two workers share a port, a login and their metrics; one that dies is replaced; all drain",
  async (path) => {
    await using redis = await startRedis(path);
    await using idp = await startIdp();
    await using upstream = startHandler(() => Response.json({ jsonrpc: "2.0", id: 1, result: {} }));
    const metricsPort = unusedPort();
    await using http = await startHttpMode({
      idp,
      upstreamUrl: upstream.url,
      args: ["--outbound-auth", "none", "--workers", "2"],
      env: {
        REDIS_URL: redis.url,
        TOKEN_SIGNING_SECRET: "0123456789abcdefghijklmnopqrstuvwxyz-workers",
        METRICS_ADDR: `127.0.0.1:${metricsPort}`,
        RATE_LIMIT_MCP: "100000",
        MCP_PER_SUBJECT_CONCURRENCY: "1000",
      },
    });
    await untilReady(metricsPort);
    const { tokens } = await logIn(http.mcpUrl, { user: "alice" });

    assert.equal(await callMany(http.mcpUrl, tokens.access_token, 60), 60);
    const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    assert.match(metrics, /^mcp_doorman_requests_total\{route="mcp",status="200"\} 60$/m);
    assert.match(metrics, /^mcp_auth_tokens_issued_total\{.*\} 1$/m);

    const pids = workersOf(http);
    assert.equal(pids.length, 2);
    const replaced = http.process.line("stderr", /"msg":"worker_ended"/);
    Deno.kill(pids[0] ?? 0, "SIGKILL");
    await replaced;
    await untilReady(metricsPort);
    assert.equal(await callMany(http.mcpUrl, tokens.access_token, 40), 40);
    const after = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    assert.match(after, /^mcp_doorman_requests_total\{route="mcp",status="200"\} 100$/m);

    assert.equal(await http.stop(), 0);
    await assert.rejects(fetch(`http://127.0.0.1:${http.port}/healthz`));
  },
);

testWithService(
  "redis",
  "one worker dies and then all are told to end, under load: only what it had in hand is lost",
  async (path) => {
    await using redis = await startRedis(path);
    await using idp = await startIdp();
    await using upstream = startNotingUpstream();
    const metricsPort = unusedPort();
    await using http = await startHttpMode({
      idp,
      upstreamUrl: upstream.url,
      args: ["--outbound-auth", "none", "--workers", "2"],
      env: {
        REDIS_URL: redis.url,
        TOKEN_SIGNING_SECRET: "0123456789abcdefghijklmnopqrstuvwxyz-workers",
        METRICS_ADDR: `127.0.0.1:${metricsPort}`,
        RATE_LIMIT_MCP: "1000000",
        MCP_PER_SUBJECT_CONCURRENCY: "1000",
      },
    });
    await untilReady(metricsPort);
    const { tokens, found, client } = await logIn(http.mcpUrl, { user: "alice" });
    const load = startSteadyLoad(http.mcpUrl, tokens.access_token);
    await load.progress(200);

    const [victim = 0] = workersOf(http);
    const died = http.process.line("stderr", /"msg":"worker_ended"/);
    Deno.kill(victim, "SIGKILL");
    await died;
    await load.progress(200);
    await untilReady(metricsPort);
    const lost = [...upstream.answered].filter((id) => !load.answered.has(id));
    assert.ok(lost.length <= 16, `${lost.length} answers went with the worker`);
    // What one worker sealed the other opens, and a refresh at either is known to both.
    const again = await refresh(found, client, tokens.refresh_token ?? "");
    assert.equal(await callMany(http.mcpUrl, again.access_token, 20), 20);

    const listening = await Promise.all(Array.from({ length: 8 }, () => listen(http.mcpUrl, tokens)));
    const before = new Set(upstream.answered);
    const stopping = performance.now();
    assert.equal(await http.stop(), 0);
    for (const { ended } of listening) assert.ok(await ended - stopping < 1_500);
    await load.stop();

    assert.deepEqual(load.wrong, []);
    const unanswered = [...upstream.answered].filter((id) => !before.has(id) && !load.answered.has(id));
    assert.deepEqual(unanswered.filter((id) => id !== 1), []);
  },
);

/** A stream that listens on a connection of its own, and when it ended. */
async function listen(
  mcpUrl: string,
  tokens: { access_token: string },
): Promise<{ readonly ended: Promise<number> }> {
  const client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  const response = await fetch(mcpUrl, {
    headers: { authorization: `Bearer ${tokens.access_token}` },
    client,
  });
  assert.equal(response.status, 200);
  const ended = response.text().then(() => {
    client.close();
    return performance.now();
  });
  return { ended };
}

function workersOf(http: HttpMode): number[] {
  const pids = http.process.stderr.flatMap((line) => {
    const entry = /"msg":"starting"/.test(line) ? JSON.parse(line) : undefined;
    return entry?.pid === undefined || entry.pid === http.process.pid ? [] : [entry.pid as number];
  });
  return [...new Set(pids)];
}

testWithService(
  "redis",
  "workers do not start without the settings of a pipe that was read before them",
  async (path) => {
    await using redis = await startRedis(path);
    await using idp = await startIdp();
    const home = await Deno.makeTempDir();
    const pipe = `${home}/settings`;
    try {
      assert.ok((await new Deno.Command("mkfifo", { args: [pipe] }).output()).success);
      const written = new Deno.Command("bash", { args: ["-c", 'echo ALLOW_EMAILS=a@b.example > "$0"', pipe] })
        .output();
      await using http = await startHttpMode({
        idp,
        upstreamUrl: "http://127.0.0.1:9/mcp",
        args: ["--outbound-auth", "none", "--workers", "2", "--env-file", pipe],
        env: { REDIS_URL: redis.url, TOKEN_SIGNING_SECRET: "0123456789abcdefghijklmnopqrstuvwxyz-workers" },
        dontWait: true,
      });
      await written;

      assert.equal(await http.process.exited, 2);
      const said = http.process.stderr.filter((line) => line.includes(`Cannot read ${pipe}: it is a pipe`));
      assert.ok(said.length > 0, http.process.stderr.join("\n"));
      assert.ok(!http.process.stderr.some((line) => line.includes('"worker_serving"')));
    } finally {
      await Deno.remove(home, { recursive: true });
    }
  },
);
