import assert from "node:assert/strict";
import { startIdp } from "../fakes/idp.ts";
import { startUpstream } from "../fakes/upstream.ts";
import { baseEnv, doormanCommand, startDoorman } from "../support/process.ts";
import { initializeMessage } from "../support/pump.ts";
import { textLines } from "../support/lines.ts";
import { eventStream, plainInitialize, rawUpstream, rpcResult } from "../support/raw_upstream.ts";
import { freePort, temporaryDir } from "./login_setup.ts";

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

Deno.test("an upstream that does not answer the goodbye does not hold it up", async () => {
  await using upstream = rawUpstream((request) => {
    if (request.method === "DELETE") return new Promise<Response>(() => {});
    if (request.method === "GET") return new Response(null, { status: 405 });
    return rpcResult(request, plainInitialize, { "mcp-session-id": "a session" });
  });
  await using process = startDoorman([upstream.url], {});
  await process.write(hello);
  await process.line("stdout", /"id":0/);

  const { code, ms } = await endsAfter(process.exited, () => process.signal("SIGTERM"));

  assert.equal(code, 0);
  assert.ok(ms < 1_000, `${ms} ms`);
  assert.equal(upstream.requests.at(-1)?.method, "DELETE");
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

/** As a host starts it, but with a stdout that the test can close. */
function startBare(url: string, home: string, env: Record<string, string> = {}) {
  const { command, args } = doormanCommand();
  const child = new Deno.Command(command, {
    args: [...args, "--silent", url],
    env: { ...baseEnv(home), ...env },
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stdin = child.stdin.getWriter();
  return {
    child,
    exited: child.status.then(({ code }) => code),
    write: (line: string) => stdin.write(new TextEncoder().encode(`${line}\n`)),
    closeStdin: () => stdin.close(),
    async [Symbol.asyncDispose]() {
      await stdin.close().catch(() => {});
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended by itself.
      }
      await child.status;
      if (!child.stderr.locked) await child.stderr.cancel();
    },
  };
}

Deno.test("a host that reads no longer ends the process", async () => {
  await using upstream = startUpstream();
  await using home = await temporaryDir();
  await using process = startBare(upstream.url, home.path);
  await process.write(hello);
  const reader = process.child.stdout.getReader();
  assert.match(new TextDecoder().decode((await reader.read()).value), /"id":0/);
  await reader.cancel();

  const { ms } = await endsAfter(
    process.exited,
    () => process.write('{"jsonrpc":"2.0","id":1,"method":"ping"}'),
  );

  assert.ok(ms < 1_000, `${ms} ms`);
});

/** The settings of a login that nobody finishes. */
async function waitingLogin() {
  const idp = await startIdp({ users: { alice: {} } });
  const upstream = startUpstream({
    check: () => new Response(null, { status: 401, headers: { "www-authenticate": "Bearer" } }),
  });
  const env = {
    OIDC_ISSUER_URL: idp.issuer,
    OIDC_CLIENT_ID: idp.clientId,
    OIDC_REDIRECT_URL: `http://localhost:${freePort()}/callback`,
    BROWSER: "true",
  };
  return {
    upstream,
    env,
    async [Symbol.asyncDispose]() {
      await upstream[Symbol.asyncDispose]();
      await idp[Symbol.asyncDispose]();
    },
  };
}

Deno.test("a host that dies with calls under way ends the process, though an answer comes while it says good-bye", async () => {
  const held = new Map<unknown, () => void>();
  await using upstream = rawUpstream((request) => {
    const { method, rpc } = request;
    if (method === "GET") return new Response(null, { status: 405 });
    if (rpc?.method === "tools/call") {
      return new Promise<Response>((resolve) => held.set(rpc.id, () => resolve(rpcResult(request, {}))));
    }
    if (method !== "DELETE") return rpcResult(request, plainInitialize, { "mcp-session-id": "a session" });
    held.get(2)?.();
    return new Promise<Response>(() => {});
  });
  await using home = await temporaryDir();
  await using process = startBare(upstream.url, home.path);
  await process.write(hello);
  const reader = process.child.stdout.getReader();
  await reader.read();
  for (const id of [1, 2]) {
    await process.write(JSON.stringify({ jsonrpc: "2.0", id, method: "tools/call", params: { name: "x" } }));
  }
  await upstream.request(({ rpc }) => rpc?.id === 2);
  await process.closeStdin();
  await reader.cancel();

  const { ms } = await endsAfter(process.exited, () => held.get(1)?.());

  assert.ok(ms < 1_000, `${ms} ms`);
});

Deno.test("a login under way does not keep the process alive", async (t) => {
  await using login = await waitingLogin();
  for (const cause of ["stdin", "SIGTERM", "SIGINT", "SIGHUP"] as const) {
    await t.step(cause, async () => {
      await using process = startDoorman([login.upstream.url], { env: login.env });
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
  await t.step("stdout broken", async () => {
    await using home = await temporaryDir();
    await using process = startBare(login.upstream.url, home.path, {
      ...login.env,
      FIRST_ANSWER_TIMEOUT: "1s",
    });
    await process.child.stdout.cancel();

    // The first answer comes while the login waits, and nobody takes it.
    const { ms } = await endsAfter(process.exited, async () => {
      await process.write(hello);
      await firstText(process.child.stderr, /response_type=code/);
    });

    assert.ok(ms < 2_000, `${ms} ms with the second until the first answer`);
  });
});

/** Reads on until this has come; what comes after it is thrown away. */
async function firstText(from: ReadableStream<Uint8Array<ArrayBuffer>>, pattern: RegExp): Promise<string> {
  let text = "";
  const lines = from.pipeThrough(textLines()).getReader();
  while (!pattern.test(text)) {
    const { value, done } = await lines.read();
    if (done) throw new Error(`It ended without ${pattern}: ${text}`);
    text += value + "\n";
  }
  lines.cancel().catch(() => {});
  return text;
}

for (const during of ["a session", "a login"]) {
  Deno.test({
    name: `a process whose parent is gone during ${during} ends, though stdin stays open`,
    ignore: Deno.build.os === "windows",
    fn: async () => {
      await using login = await waitingLogin();
      await using upstream = startUpstream();
      await using home = await temporaryDir();
      const { command, args } = doormanCommand();
      const url = during === "a login" ? login.upstream.url : upstream.url;
      const quoted = [command, ...args, "--silent", url].map((arg) => `'${arg}'`).join(" ");
      // The shell starts it with a pipe that a sleeping process keeps open, says both ids, and is then killed.
      const shell = new Deno.Command("/bin/sh", {
        args: [
          "-c",
          `cd ${home.path}; mkfifo in; (echo '${hello}'; exec sleep 30) > in & echo $!; ` +
          `${quoted} < in > out 2> err & echo $!; wait`,
        ],
        env: { ...baseEnv(home.path), ...(during === "a login" ? login.env : {}) },
        clearEnv: true,
        stdout: "piped",
        stderr: "null",
      }).spawn();
      const ids = await firstText(shell.stdout, /\d+\n\d+\n/);
      const [sleeper = 0, pid = 0] = ids.split("\n").map(Number);
      const said = async (file: string, pattern: RegExp) => {
        while (!pattern.test(await Deno.readTextFile(`${home.path}/${file}`).catch(() => ""))) {
          await new Promise((go) => setTimeout(go, 20));
        }
      };
      await (during === "a login" ? said("err", /response_type=code/) : said("out", /"id":0/));
      assert.ok(isAlive(pid));

      shell.kill("SIGKILL");
      await shell.status;
      const start = performance.now();
      while (isAlive(pid) && performance.now() - start < 5_000) await new Promise((go) => setTimeout(go, 20));
      const ms = performance.now() - start;

      Deno.kill(sleeper, "SIGKILL");
      assert.ok(ms < 1_000, `${ms} ms`);
    },
  });
}

/** A zombie is not. */
function isAlive(pid: number): boolean {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1]?.[0] !== "Z";
  } catch {
    return false;
  }
}

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
  assert.equal(await Deno.readTextFile(logFile), "");
  const [sent, received] = (await Deno.readTextFile(dump)).trimEnd().split("\n");
  assert.ok(sent?.endsWith(`> ${hello}`));
  assert.match(received ?? "", /< \{.*"serverInfo"/);
  if (Deno.build.os !== "windows") assert.equal(((await Deno.stat(dump)).mode ?? 0) & 0o777, 0o600);
  await Deno.remove(home, { recursive: true }).catch(() => {});
});

Deno.test("--log-to-file writes what stderr says to a private file that is named after the start", async () => {
  await using upstream = startUpstream();
  await using home = await temporaryDir();
  await using process = startDoorman([upstream.url, "--debug", "--log-to-file"], { home: home.path });
  await process.write(hello);
  await process.line("stdout", /"id":0/);
  await endsAfter(process.exited, () => process.closeStdin());

  const names = (await Array.fromAsync(Deno.readDir(home.path), ({ name }) => name)).filter((name) =>
    name.endsWith(".log")
  );
  assert.equal(names.length, 1);
  assert.match(names[0] ?? "", /^\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d_mcp-doorman\.log$/);
  const file = `${home.path}/${names[0]}`;
  assert.equal(await Deno.readTextFile(file), process.stderr.join("\n") + "\n");
  assert.match(process.stderr.join("\n"), /"level":"debug"/);
  if (Deno.build.os !== "windows") assert.equal(((await Deno.stat(file)).mode ?? 0) & 0o777, 0o600);
});
