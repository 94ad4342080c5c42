import assert from "node:assert/strict";
import { startIdp } from "../fakes/idp.ts";
import { startUpstream } from "../fakes/upstream.ts";
import { baseEnv, doormanCommand, startDoorman } from "../support/process.ts";
import { initializeMessage } from "../support/pump.ts";
import { eventStream, plainInitialize, rawUpstream, rpcResult } from "../support/raw_upstream.ts";

const hello = JSON.stringify(initializeMessage());
const initialized = '{"jsonrpc":"2.0","method":"notifications/initialized"}';
const slow =
  '{"jsonrpc":"2.0","id":"slow","method":"tools/call","params":{"name":"slow","arguments":{"steps":1,"delayMs":600}}}';

/** How long it takes to end, with the exit code; the clock starts when `cause` has acted. */
async function endsAfter(
  exited: Promise<number>,
  cause: () => unknown,
): Promise<{ code: number; ms: number }> {
  await cause();
  const start = performance.now();
  const late = new Promise<never>((_, reject) =>
    setTimeout(() => reject(new Error("still alive after 8 s")), 8_000)
  );
  const code = await Promise.race([exited, late]);
  return { code, ms: performance.now() - start };
}

Deno.test({
  name: "the process ends within a second, for each cause",
  sanitizeOps: false,
  sanitizeResources: false,
}, async (t) => {
  await using upstream = startUpstream();
  const running = async () => {
    const process = startDoorman([upstream.url], {});
    await process.write(hello);
    await process.line("stdout", /"id":0/);
    await process.write(initialized);
    return process;
  };
  await t.step("stdin closed, with the session ended at the upstream", async () => {
    await using process = await running();
    const { code, ms } = await endsAfter(process.exited, () => process.closeStdin());
    assert.equal(code, 0);
    assert.ok(ms < 1_000, `${ms} ms`);
    assert.equal(upstream.received.at(-1)?.method, "DELETE");
    assert.equal(upstream.sessions.size, 0);
  });
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    await t.step(signal, async () => {
      await using process = await running();
      const { code, ms } = await endsAfter(process.exited, () => process.signal(signal));
      assert.equal(code, 0);
      assert.ok(ms < 1_000, `${ms} ms`);
    });
  }
});

Deno.test("at the end of stdin the answers under way are delivered first", async () => {
  await using upstream = startUpstream();
  await using process = startDoorman([upstream.url], {});
  await process.write(hello);
  await process.line("stdout", /"id":0/);
  await process.write(initialized);
  await process.write(slow);
  while (upstream.last("tools/call") === undefined) await new Promise((go) => setTimeout(go, 5));

  const { code } = await endsAfter(process.exited, () => process.closeStdin());

  assert.equal(code, 0);
  assert.match(process.stdout.at(-1) ?? "", /done in 1 steps/);
});

Deno.test("at the end of stdin a call that never ends is not waited for without limit, an open stream not at all", async () => {
  await using upstream = rawUpstream((request) => {
    if (request.method === "GET" || request.rpc?.method === "tools/call") return eventStream().response;
    return rpcResult(request, plainInitialize);
  });
  await using idle = startDoorman([upstream.url], {});
  await idle.write(hello);
  await idle.write(initialized);
  await upstream.request(({ method }) => method === "GET");
  const quick = await endsAfter(idle.exited, () => idle.closeStdin());

  await using busy = startDoorman([upstream.url], {});
  await busy.write(hello);
  await busy.write(initialized);
  await busy.write(slow);
  await upstream.request(({ rpc }) => rpc?.method === "tools/call");
  const bounded = await endsAfter(busy.exited, () => busy.closeStdin());

  assert.ok(quick.ms < 1_000, `${quick.ms} ms`);
  assert.ok(bounded.ms > 1_000 && bounded.ms < 7_000, `${bounded.ms} ms`);
});

Deno.test("a login under way does not keep the process alive", async (t) => {
  await using idp = await startIdp({ users: { alice: {} } });
  await using upstream = startUpstream({
    check: () => new Response(null, { status: 401, headers: { "www-authenticate": "Bearer" } }),
  });
  for (const cause of ["stdin", "SIGTERM", "SIGINT"] as const) {
    await t.step(cause, async () => {
      const port = 20_000 + Math.floor(Math.random() * 8_000);
      const redirect = `http://localhost:${port}/callback`;
      await using process = startDoorman([upstream.url], {
        env: {
          OIDC_ISSUER_URL: idp.issuer,
          OIDC_CLIENT_ID: idp.clientId,
          OIDC_REDIRECT_URL: redirect,
          BROWSER: "true",
        },
      });
      await process.write(hello);
      await process.line("stderr", /http.*response_type=code/);

      const { code, ms } = await endsAfter(
        process.exited,
        () => cause === "stdin" ? process.closeStdin() : process.signal(cause),
      );

      assert.equal(code, 0);
      assert.ok(ms < 1_000, `${ms} ms`);
    });
  }
});

Deno.test("a host that reads no longer ends the process", async () => {
  await using upstream = startUpstream();
  const { command, args } = doormanCommand();
  const home = await Deno.makeTempDir();
  const child = new Deno.Command(command, {
    args: [...args, "--silent", upstream.url],
    env: baseEnv(home),
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const stdin = child.stdin.getWriter();
  await child.stdout.cancel();

  const { ms } = await endsAfter(
    child.status.then(({ code }) => code),
    () => stdin.write(new TextEncoder().encode(`${hello}\n`)),
  );

  assert.ok(ms < 3_000, `${ms} ms`);
  await stdin.close().catch(() => {});
  await Deno.remove(home, { recursive: true });
});

Deno.test({
  name: "a process whose parent is gone ends, though stdin stays open",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using upstream = startUpstream();
    const { command, args } = doormanCommand();
    const home = await Deno.makeTempDir();
    const quoted = [command, ...args, "--silent", upstream.url].map((arg) => `'${arg}'`).join(" ");
    // The shell starts it with a pipe that a sleeping process keeps open, says its id, and is then killed.
    const shell = new Deno.Command("/bin/sh", {
      args: [
        "-c",
        `mkfifo ${home}/in; sleep 20 > ${home}/in & echo $!; ${quoted} < ${home}/in > ${home}/out & echo $!; wait`,
      ],
      env: baseEnv(home),
      clearEnv: true,
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const reader = shell.stdout.getReader();
    let text = "";
    while (text.split("\n").length < 3) text += new TextDecoder().decode((await reader.read()).value);
    const [sleeper, pid] = text.split("\n").map(Number);
    const alive = () => Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1]?.[0] !== "Z";
    await new Promise((go) => setTimeout(go, 1_500));
    assert.ok(alive());

    shell.kill("SIGKILL");
    await shell.status;
    const start = performance.now();
    try {
      while (alive() && performance.now() - start < 5_000) await new Promise((go) => setTimeout(go, 50));
    } catch {
      // Its entry is gone with it.
    }
    const ms = performance.now() - start;

    Deno.kill(sleeper as number, "SIGKILL");
    await reader.cancel();
    await Deno.remove(home, { recursive: true });
    assert.ok(ms < 1_500, `${ms} ms`);
  },
});

Deno.test("only messages are on stdout, and nothing that was said is in the log, at any level", async () => {
  const canary = "canary-5f1e";
  await using upstream = startUpstream();
  await using process = startDoorman([upstream.url, "--debug", "--header", `X-Api-Key: ${canary}`], {});
  await process.write(hello);
  await process.line("stdout", /"id":0/);
  await process.write(initialized);
  const call = {
    jsonrpc: "2.0",
    id: 1,
    method: "tools/call",
    params: { name: "echo", arguments: { text: canary } },
  };
  await process.write(JSON.stringify(call));
  await process.line("stdout", /"id":1/);
  await process.write("not json " + canary);
  await process.line("stdout", /-32700/);

  await endsAfter(process.exited, () => process.closeStdin());

  for (const line of process.stdout) assert.equal(JSON.parse(line).jsonrpc, "2.0");
  assert.ok(process.stderr.length > 2, "debug says something");
  assert.ok(!process.stderr.join("\n").includes(canary));
  assert.equal(upstream.last("tools/call")?.headers.get("x-api-key"), canary);
});

Deno.test("messages are recorded in a file when asked for, and --silent with --no-banner says nothing", async () => {
  await using upstream = startUpstream();
  const home = await Deno.makeTempDir();
  const [dump, logFile] = [`${home}/messages`, `${home}/log`];
  {
    await using process = startDoorman(
      [upstream.url, "--silent", "--no-banner", "--dump-messages", dump, "--log-file", logFile],
      { home },
    );
    await process.write(hello);
    await process.line("stdout", /"id":0/);
    await endsAfter(process.exited, () => process.closeStdin());
    assert.deepEqual(process.stderr, []);
  }
  const [sent, received] = (await Deno.readTextFile(dump)).trimEnd().split("\n");
  assert.ok(sent?.endsWith(`> ${hello}`));
  assert.match(received ?? "", /< \{.*"serverInfo"/);
  await Deno.remove(home, { recursive: true }).catch(() => {});
});
