import assert from "node:assert/strict";
import { startPump } from "./pump.ts";
import { startDoorman } from "./process.ts";
import { rawUpstream, rpcResult } from "./raw_upstream.ts";
import { assertNothingShown, keepSecret, secretsIn } from "./secrets.ts";

const header = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9";
const token = `${header}.c3ViamVjdC1vZi10aGlzLXRva2Vu.c2lnbmF0dXJlLW9mLXRoaXMtdG9rZW4`;

Deno.test("a secret is found whole, in part and in the middle of a word, with the line that it is in", () => {
  keepSecret("token", token);
  keepSecret("short one", "sesame-9");
  for (const shown of [token, token.slice(50, 75), `x${token}x`, `…${token.slice(-23)}`]) {
    assert.match(secretsIn(`before\nit is ${shown}\nafter`).join(), /^token in: it is/);
  }
  assert.match(secretsIn("sesame-9").join(), /short one/);
  assert.deepEqual(secretsIn(`before\nwith ${header}\n${token.slice(40, 50)}`), []);
  assert.throws(() => assertNothingShown("it", token), /it shows what is secret/);
});

Deno.test("the address that a person is to open may be shown to him, and not in the log", () => {
  keepSecret("state", "state-4711-of-a-login-1147");
  const address = "http://idp.example/auth?response_type=code&state=state-4711-of-a-login-1147";

  assert.deepEqual(secretsIn(`  ${address}`), []);
  assert.equal(secretsIn(`{"ts":"2026","url":"${address}"}`).length, 1);
  assert.equal(secretsIn("  http://localhost/callback?code=1&state=state-4711-of-a-login-1147").length, 1);
});

/** A program of these shell commands, in a folder of its own. */
async function program(commands: string): Promise<AsyncDisposable & { home: string; program: string }> {
  const home = await Deno.makeTempDir();
  await Deno.writeTextFile(`${home}/program`, `#!/bin/sh\n${commands}\n`, { mode: 0o700 });
  return {
    home,
    program: `${home}/program`,
    [Symbol.asyncDispose]: () => Deno.remove(home, { recursive: true }),
  };
}

const ignore = Deno.build.os === "windows";

for (const [from, redirection] of [["stdout", ""], ["stderr", ">&2"], ["a log file", "> some.log"]]) {
  Deno.test({ name: `a program that shows a secret on ${from} fails its test`, ignore }, async () => {
    await using shell = await program(`echo the secret is ${token.slice(60, 90)} ${redirection}`);
    keepSecret("token", token);
    const process = startDoorman([], shell);
    await process.exited;

    await assert.rejects(async () => await process[Symbol.asyncDispose](), /token in: the secret is/);
  });
}

Deno.test({ name: "what a program is told in secret may not be shown either", ignore }, async () => {
  await using shell = await program('echo "$OIDC_CLIENT_SECRET" "$2"');
  for (
    const [args, env] of [[[], { OIDC_CLIENT_SECRET: "not-to-be-shown" }], [["--header", "X: y-and-z-1"], {}]]
  ) {
    const process = startDoorman(args as string[], { ...shell, env: env as Record<string, string> });
    await process.exited;

    await assert.rejects(
      async () => await process[Symbol.asyncDispose](),
      /stdout shows .*\n(OIDC_CLIENT_SECRET|--header) in/,
    );
  }
});

Deno.test({ name: "anything but messages on the stdout of stdio mode fails its test", ignore }, async () => {
  await using shell = await program('echo stdio_started >&2; echo \'{"jsonrpc":"2.0"}\'; echo hello');
  const process = startDoorman([], shell);
  await process.exited;

  await assert.rejects(async () => await process[Symbol.asyncDispose](), /No message on stdout: hello/);
});

Deno.test("a pump whose log tells an argument of a tool fails its test", async () => {
  await using upstream = rawUpstream((request) => rpcResult(request, {}));
  const text = "an argument that is nobody's business";
  const pump = startPump(upstream.url);
  await pump.ask({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "t", arguments: { text } } });
  pump.log.debug("told", { cause: text });

  await assert.rejects(async () => await pump[Symbol.asyncDispose](), /an argument in/);
});

Deno.test("who tells a secret in a log that nobody listens to, or on the console, fails its test", async () => {
  const script = new URL("../../scripts/test.ts", import.meta.url).pathname;
  const telling = new URL("../fixtures/telling.ts", import.meta.url).pathname;
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", script, "--no-check", telling],
    env: { NO_COLOR: "1" },
    stderr: "null",
  }).output();
  const output = new TextDecoder().decode(stdout);

  assert.equal(code, 1);
  for (const way of ["a level", "a field of the logger", "a log that is heard", "the console"]) {
    assert.match(output, new RegExp(`^.*told by ${way} \\.\\.\\. FAILED`, "m"));
  }
  assert.match(output, /told by way of a catch \.\.\. ok/);
  assert.match(output, /telling\.ts \(uncaught error\)/);
});
