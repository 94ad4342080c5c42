/**
 * Several real processes that share one home, as a host starts them. `INSTANCE_ROUNDS` repeats the five-at-once case.
 */
import assert from "node:assert/strict";
import { startIdp } from "../fakes/idp.ts";
import { startUpstream, type TestUpstream } from "../fakes/upstream.ts";
import { type DoormanProcess, startDoorman } from "../support/process.ts";
import { freePort, temporaryDir } from "./login_setup.ts";

const rounds = Number(Deno.env.get("INSTANCE_ROUNDS") ?? 2);
const programPath = new URL("./browser_program.ts", import.meta.url).pathname;
const configPath = new URL("../../deno.json", import.meta.url).pathname;

/** A home, and how to start a process in it whose browser notes its visits in a file. */
function place(
  home: string,
  options: { upstream: TestUpstream; user?: string; waitMs?: number; env?: Record<string, string> },
) {
  const visits = `${home}/visits`;
  const browser = [
    `${Deno.execPath()} run -A --config ${configPath} ${programPath}`,
    `${visits} ${options.user ?? "alice"} ${options.waitMs ?? 0} %s`,
  ].join(" ");
  return {
    start: () =>
      startDoorman([options.upstream.url], {
        home,
        env: { BROWSER: browser, LOG_LEVEL: "debug", ...options.env },
      }),
    /** How often a browser was opened. */
    opened(): number {
      try {
        return Deno.readTextFileSync(visits).split("\n").filter((line) => line.startsWith("opened")).length;
      } catch {
        return 0;
      }
    },
  };
}

const initialize = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } },
});

async function connect(process: DoormanProcess): Promise<string> {
  await process.write(initialize);
  return await process.line("stdout", /"id":1\b/, 60_000);
}

for (let round = 1; round <= rounds; round++) {
  Deno.test(`five instances at once with no token: one browser, one registration, five connected (${round})`, async () => {
    await using dir = await temporaryDir();
    await using idp = await startIdp();
    await using upstream = startUpstream({ validating: { issuer: idp.issuer } });
    const port = freePort();
    const here = place(dir.path, {
      upstream,
      waitMs: 300,
      env: { OIDC_REDIRECT_URL: `http://localhost:${port}/auth/callback` },
    });
    await using instances = new AsyncDisposableStack();

    const processes = Array.from({ length: 5 }, () => instances.use(here.start()));
    const answers = await Promise.all(processes.map(connect));

    for (const answer of answers) assert.match(answer, /test-upstream/);
    assert.equal(here.opened(), 1);
    assert.equal(idp.calls["/reg"], 1);
    assert.equal(idp.calls["/token"], 1);
  });
}

Deno.test("a leader that is killed in mid-login is followed by another within two seconds", async () => {
  await using dir = await temporaryDir();
  await using idp = await startIdp();
  await using upstream = startUpstream({ validating: { issuer: idp.issuer } });
  const env = { OIDC_REDIRECT_URL: `http://localhost:${freePort()}/auth/callback` };
  const slow = place(dir.path, { upstream, waitMs: 60_000, env: { ...env, BROWSER: "true" } });
  const quick = place(dir.path, { upstream, env });
  await using leader = slow.start();
  await leader.write(initialize);
  await leader.line("stderr", /open this address/);
  await using follower = quick.start();
  const answer = connect(follower);
  await upstream.last("initialize");
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  assert.equal(quick.opened(), 0, "the follower waits");

  leader.signal("SIGKILL");
  const killedAt = performance.now();
  await follower.line("stderr", /open this address/);
  const tookMs = performance.now() - killedAt;

  assert.match(await answer, /test-upstream/);
  assert.ok(tookMs < 2_000, `${tookMs} ms`);
  assert.equal(quick.opened(), 1);
});

Deno.test("twenty calls at expiry in three processes with a rotating refresh token: one refresh, no browser", async () => {
  await using dir = await temporaryDir();
  await using idp = await startIdp({ audience: "mcp", accessTtlSec: 12 });
  await using upstream = startUpstream({ validating: { issuer: idp.issuer, audience: "mcp" } });
  const here = place(dir.path, {
    upstream,
    env: { OIDC_REDIRECT_URL: `http://localhost:${freePort()}/auth/callback` },
  });
  await using instances = new AsyncDisposableStack();
  const processes = Array.from({ length: 3 }, () => instances.use(here.start()));
  await Promise.all(processes.map(connect));
  const loggedInAt = Date.now();
  await Promise.all(
    processes.map((process) => process.write('{"jsonrpc":"2.0","method":"notifications/initialized"}')),
  );
  assert.equal(here.opened(), 1);
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, 12_500 - (Date.now() - loggedInAt))));
  const before = idp.calls["/token:refresh_token"] ?? 0;

  const calls = processes.map(async (process, of) => {
    const ids = Array.from({ length: of === 0 ? 6 : 7 }, (_, at) => 100 * (of + 1) + at);
    const lines = ids.map((id) => JSON.stringify({ jsonrpc: "2.0", id, method: "tools/list", params: {} }));
    await process.write(lines.join("\n"));
    return await Promise.all(ids.map((id) => process.line("stdout", new RegExp(`"id":${id}\\b`))));
  });

  const answers = (await Promise.all(calls)).flat();
  assert.equal(answers.length, 20);
  for (const answer of answers) assert.match(answer, /"tools"/);
  assert.equal((idp.calls["/token:refresh_token"] ?? 0) - before, 1);
  assert.equal(here.opened(), 1);
});

Deno.test("stdin's end during a login ends the process at once and frees its port", async () => {
  await using dir = await temporaryDir();
  await using idp = await startIdp();
  await using upstream = startUpstream({ validating: { issuer: idp.issuer } });
  const port = freePort();
  const env = { OIDC_REDIRECT_URL: `http://localhost:${port}/auth/callback`, BROWSER: "true" };
  await using process = place(dir.path, { upstream, env }).start();
  await process.write(initialize);
  await process.line("stderr", /open this address/);

  const closedAt = performance.now();
  await process.closeStdin();

  assert.equal(await process.exited, 0);
  assert.ok(performance.now() - closedAt < 2_000);
  using _free = Deno.listen({ hostname: "127.0.0.1", port });
});
