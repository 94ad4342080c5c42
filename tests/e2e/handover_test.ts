/** A restart and a handover while clients go on calling: no answer is lost and nobody has to log in. */
import assert from "node:assert/strict";
import { startIdp, type TestIdp } from "../fakes/idp.ts";
import { unusedPort } from "../fakes/raw_upstream.ts";
import { type HttpMode, startHttpMode } from "../support/http_mode.ts";
import { call, logIn, refresh } from "../support/oauth_client.ts";
import { baseEnv, doormanCommand } from "../support/process.ts";
import { startRedis } from "../support/redis.ts";
import { testWithService } from "../support/services.ts";
import { startNotingUpstream, startSteadyLoad } from "../support/steady_load.ts";

const unlimited = {
  RATE_LIMIT_MCP: "1000000",
  MCP_PER_SUBJECT_CONCURRENCY: "1000",
  TOKEN_SIGNING_SECRET: "one-secret-for-both-0123456789abcdefg",
};

/** A call that is under way for a while, a listening stream, and how long the stream lived after `since`. */
async function openWork(mcpUrl: string, token: string) {
  const slow = call(mcpUrl, token, { jsonrpc: "2.0", id: 7, method: "tools/call", params: { ms: 1_500 } });
  const stream = await fetch(mcpUrl, { headers: { authorization: `Bearer ${token}` } });
  const ended = stream.text().then((text) => ({ text, atMs: performance.now() }));
  await new Promise((resolve) => setTimeout(resolve, 200));
  return { slow, ended };
}

Deno.test("a restart under load loses no call that was answered, and logs nobody out", async () => {
  await using idp = await startIdp();
  await using upstream = startNotingUpstream();
  const home = await Deno.makeTempDir();
  const options = { idp, upstreamUrl: upstream.url, home, port: unusedPort(), env: unlimited };
  let http = await startHttpMode(options);
  try {
    const { found, client, tokens } = await logIn(http.mcpUrl);
    const token = tokens.access_token;
    const load = startSteadyLoad(http.mcpUrl, token);
    await load.progress(100);
    const { slow, ended } = await openWork(http.mcpUrl, token);

    const stopping = performance.now();
    assert.equal(await http.stop(), 0);
    assert.deepEqual(await (await slow).json(), { jsonrpc: "2.0", id: 7, result: {} });
    const stream = await ended;
    assert.equal(stream.text, "data: 1\n\n");
    assert.ok(stream.atMs - stopping < 1_000, `${stream.atMs - stopping} ms`);

    await http[Symbol.asyncDispose]();
    http = await startHttpMode(options);
    await load.progress(100);
    await load.stop();

    assert.deepEqual(load.wrong, []);
    upstream.answered.delete(7);
    assert.deepEqual([...upstream.answered].toSorted(), [...load.answered].toSorted());
    assert.ok(load.failed.size > 0, "nobody called while it was away");
    const again = await refresh(found, client, tokens.refresh_token ?? "");
    assert.equal(await statusOf(http.mcpUrl, again.access_token), 200);
  } finally {
    await http[Symbol.asyncDispose]();
    await Deno.remove(home, { recursive: true });
  }
});

/** The commands of the runbook. */
async function runbookCommands(): Promise<string> {
  const text = await Deno.readTextFile(new URL("../../docs/runbooks/upgrade.md", import.meta.url));
  const [, commands] = /## Handover on one machine[\s\S]*?```sh\n([\s\S]*?)```/.exec(text) ?? [];
  assert.ok(commands !== undefined);
  return commands;
}

testWithService(
  "redis",
  "a handover by the runbook loses nothing, refuses nobody, and the old process is gone",
  async (path) => {
    await using redis = await startRedis(path);
    await using idp = await startIdp();
    await using upstream = startNotingUpstream();
    const home = await Deno.makeTempDir();
    const metrics = unusedPort();
    const env = {
      ...unlimited,
      REDIS_URL: redis.url,
      MCP_PROXY_REUSE_PORT: "true",
      METRICS_ADDR: `127.0.0.1:${metrics}`,
    };
    await using old = await startHttpMode({ idp, upstreamUrl: upstream.url, port: unusedPort(), env });
    let newPid = 0;
    try {
      const { found, client, tokens } = await logIn(old.mcpUrl);
      const token = tokens.access_token;
      const load = startSteadyLoad(old.mcpUrl, token);
      await load.progress(100);
      const { slow, ended } = await openWork(old.mcpUrl, token);

      newPid = await runRunbook(home, { ...env, ...settingsOf(old, idp, upstream.url) }, old.process.pid);

      // The calls in flight finish while the other process answers the new ones.
      await load.progress(50);
      assert.deepEqual(await (await slow).json(), { jsonrpc: "2.0", id: 7, result: {} });
      assert.equal((await ended).text, "data: 1\n\n");
      assert.equal(await old.process.exited, 0);
      await load.progress(100);
      await load.stop();

      assert.deepEqual(load.wrong, []);
      upstream.answered.delete(7);
      assert.deepEqual([...upstream.answered].toSorted(), [...load.answered].toSorted());
      assert.deepEqual([...load.failed.values()].filter((cause) => /refused/.test(cause)), []);
      assert.ok(load.failed.size <= 16, `${load.failed.size} connections were reset`);
      const again = await refresh(found, client, tokens.refresh_token ?? "");
      assert.equal(await statusOf(old.mcpUrl, again.access_token), 200);
      assert.equal((await fetch(`http://127.0.0.1:${metrics}/readyz`)).status, 200);
    } finally {
      if (newPid > 0) Deno.kill(newPid, "SIGTERM");
      await Deno.remove(home, { recursive: true });
    }
  },
);

async function statusOf(mcpUrl: string, token: string): Promise<number> {
  const response = await call(mcpUrl, token, { jsonrpc: "2.0", id: 8, method: "ping" });
  await response.body?.cancel();
  return response.status;
}

/** As variables what `startHttpMode` gives as flags. */
function settingsOf(http: HttpMode, idp: TestIdp, upstreamUrl: string): Record<string, string> {
  return {
    MCP_PROXY_TRANSPORT: "http",
    MCP_PROXY_HOST: "127.0.0.1",
    MCP_PROXY_PORT: String(http.port),
    MCP_PROXY_BASE_URL: http.baseUrl,
    INBOUND_AUTH_PROVIDER: "oidc",
    OIDC_ISSUER_URL: idp.issuer,
    OIDC_CLIENT_ID: idp.clientId,
    OIDC_CLIENT_SECRET: idp.clientSecret,
    OUTBOUND_AUTH: "none",
    UPSTREAM_MCP_URL: upstreamUrl,
  };
}

/** Runs the commands in `folder` as a shell would, with the program on its path; the pid of the new process. */
async function runRunbook(folder: string, env: Record<string, string>, oldPid: number): Promise<number> {
  const { command, args } = doormanCommand();
  const quoted = [command, ...args].map((part) => `'${part}'`).join(" ");
  await Deno.writeTextFile(`${folder}/mcp-doorman`, `#!/bin/sh\nexec ${quoted} "$@"\n`, { mode: 0o755 });
  const base = baseEnv(folder);
  // Into a file: the new process lives on and would hold a pipe open.
  const script = `exec >commands.log 2>&1\n${await runbookCommands()}\necho "pid $NEW_PID"`;
  const { code } = await new Deno.Command("bash", {
    args: ["-euc", script],
    cwd: folder,
    clearEnv: true,
    env: { ...base, ...env, PATH: `${folder}:${base["PATH"]}`, OLD_PID: String(oldPid) },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
  const text = await Deno.readTextFile(`${folder}/commands.log`);
  assert.equal(code, 0, text);
  return Number(/^pid (\d+)$/m.exec(text)?.[1]);
}
