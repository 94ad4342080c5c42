import assert from "node:assert/strict";
import { startIdp } from "../fakes/idp.ts";
import { startHandler, unusedPort } from "../fakes/raw_upstream.ts";
import { startHttpMode } from "../support/http_mode.ts";
import { logIn } from "../support/oauth_client.ts";
import { startRedis } from "../support/redis.ts";
import { testWithService } from "../support/services.ts";

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

    const pids = http.process.stderr.flatMap((line) => {
      const entry = /"msg":"starting"/.test(line) ? JSON.parse(line) : undefined;
      return entry?.pid === undefined || entry.pid === http.process.pid ? [] : [entry.pid as number];
    });
    assert.equal(new Set(pids).size, 2);
    const replaced = http.process.line("stderr", /"msg":"worker_ended"/);
    Deno.kill(pids[0] ?? 0, "SIGKILL");
    await replaced;
    await untilReady(metricsPort);
    assert.equal(await callMany(http.mcpUrl, tokens.access_token, 40), 40);

    assert.equal(await http.stop(), 0);
    await assert.rejects(fetch(`http://127.0.0.1:${http.port}/healthz`));
  },
);
