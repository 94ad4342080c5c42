import assert from "node:assert/strict";
import { startIdp } from "../fakes/idp.ts";
import { startUpstream } from "../fakes/upstream.ts";
import { newBrowser, type Page } from "../support/browser.ts";
import { runDoorman, startDoorman } from "../support/process.ts";
import { browserFor } from "../support/stdio_client.ts";
import { hasTerminal, inTerminal } from "../support/terminal.ts";
import { freePort, temporaryDir } from "./login_setup.ts";

/** An IdP, an upstream that wants its tokens, and a home. */
async function setUp(options: Parameters<typeof startIdp>[0] = {}) {
  const dir = await temporaryDir();
  const idp = await startIdp(options);
  const upstream = startUpstream({ validating: { issuer: idp.issuer } });
  const redirectUrl = `http://localhost:${freePort()}/auth/callback`;
  const env: Record<string, string> = { OIDC_REDIRECT_URL: redirectUrl, OPEN_BROWSER: "false" };
  return {
    idp,
    upstream,
    redirectUrl,
    dir: dir.path,
    env,
    run: (...args: string[]) => runDoorman(args, { home: dir.path, env }),
    start: (...args: string[]) => startDoorman(args, { home: dir.path, env }),
    async [Symbol.asyncDispose]() {
      await upstream[Symbol.asyncDispose]();
      await idp[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
}

const address = /^\s+(https?:\/\/\S+)$/;

/** What a browser on another machine ends on: the callback's address, which it cannot open. */
async function endOf(url: string, redirectUrl: string): Promise<string> {
  const landed = await newBrowser({ user: "alice" }).authorize(url.trim(), redirectUrl);
  return landed.href;
}

Deno.test("login, status, whoami and logout go around once, and logout revokes", async () => {
  await using it = await setUp();
  assert.match((await it.run("status", it.upstream.url)).stdout, /No login in/);
  assert.equal((await it.run("status", it.upstream.url)).code, 1);

  await using login = it.start("login", it.upstream.url);
  await newBrowser({ user: "alice" }).open((await login.line("stderr", address)).trim());
  assert.equal(await login.exited, 0);
  assert.match(login.stdout.join("\n"), /Logged in to http.*\/mcp as .*alice/i);
  assert.doesNotMatch(login.stderr.join("\n"), /Waiting for the login/);

  const status = await it.run("status");
  assert.match(status.stdout, new RegExp(`issuer +${it.idp.issuer}`));
  assert.match(status.stdout, /token +good for 60 min, renewed by itself/);
  assert.doesNotMatch(status.stdout, /eyJ/);
  assert.match((await it.run("whoami", it.upstream.url)).stdout, /alice.* at /i);

  const logout = await it.run("logout", it.upstream.url);
  assert.equal(logout.stdout.trim(), `Logged out of ${it.upstream.url}.`);
  assert.ok((it.idp.calls["/token/revocation"] ?? 0) >= 1);
  assert.equal((await it.run("whoami", it.upstream.url)).code, 1);
});

for (
  const [how, colour] of [["in colour", {}], ["without colour where NO_COLOR asks for it", {
    NO_COLOR: "1",
  }]] as const
) {
  Deno.test({
    name: `in a terminal a login shows that it waits, below the address, ${how}, and leaves nothing of it`,
    ignore: !hasTerminal(),
    async fn() {
      await using it = await setUp();
      const { code, output } = await inTerminal(["login", it.upstream.url], {
        home: it.dir,
        env: { OIDC_REDIRECT_URL: it.redirectUrl, BROWSER: browserFor("alice"), ...colour },
      });

      assert.equal(code, 0, output);
      const [before = "", after = ""] = output.split(/^ +https?:\S+$/m);
      assert.doesNotMatch(before, /Waiting for the login[^\r]*$/);
      const sign = "NO_COLOR" in colour ? "⠋" : "\x1b[36m⠋\x1b[0m";
      assert.ok(
        after.includes(`\r\x1b[2K${sign} Waiting for the login; Ctrl-C ends it`),
        JSON.stringify(after),
      );
      assert.match(after.split("\r\x1b[2K").at(-1) ?? "", /^Logged in to \S+ as /);
    },
  });
}

Deno.test("a logout while the server is down forgets the login all the same, and says what was not done", async () => {
  await using it = await setUp();
  await using login = it.start("login", it.upstream.url);
  await newBrowser({ user: "alice" }).open((await login.line("stderr", address)).trim());
  await login.exited;
  await it.idp.down();

  const { stdout, code } = await it.run("logout");

  assert.equal(code, 0);
  assert.match(stdout, /Logged out of .*, but the token could not be revoked: /);
  assert.match((await it.run("status")).stdout, /No login in/);
});

Deno.test("login --paste finishes its own login with the address that the browser ended on", async () => {
  await using it = await setUp();
  await using login = it.start("login", "--paste", it.upstream.url);
  const url = await login.line("stderr", address);
  const landed = await endOf(url, it.redirectUrl);
  await login.line("stderr", /Paste the address/);

  await login.write("http://localhost:1/auth/callback?code=made-up&state=wrong");
  await login.line("stderr", /belongs to another login/);
  await login.write(landed);

  assert.equal(await login.exited, 0);
  assert.match(login.stdout.join("\n"), /Logged in to/);
});

Deno.test("login --paste finishes the login that a running program waits for, by address or by bare code", async () => {
  for (const bare of [false, true]) {
    await using it = await setUp({ discovery: (document) => void (document.x = 1) });
    await using running = it.start(it.upstream.url);
    await running.write(JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "initialize",
      params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } },
    }));
    const landed = await endOf(await running.line("stderr", address), it.redirectUrl);
    const iss = new URL(landed).searchParams.has("iss");

    await using paste = it.start("login", "--paste");
    await paste.line("stderr", /A program waits for this login/);
    await paste.write(bare && !iss ? new URL(landed).searchParams.get("code") ?? "" : landed);

    assert.equal(await paste.exited, 0);
    assert.match(await running.line("stdout", /"id":1\b/), /test-upstream/);
  }
});

Deno.test("a device login shows code and page, and ends when the user has agreed elsewhere", async () => {
  await using it = await setUp();
  await using login = it.start("login", "--device", it.upstream.url);
  const said = await login.line("stderr", /enter the code/);
  const [, page = "", code = ""] = /open (\S+) on any device and enter the code (\S+)/.exec(said) ?? [];

  // The provider's buttons stand outside of its forms.
  const withButton = (shown: Page): Page => ({
    ...shown,
    forms: shown.forms.map((form) => ({ ...form, buttons: [{ name: "", value: "", text: "go" }] })),
  });
  const browser = newBrowser({ user: "alice" });
  const asked = withButton(await browser.open(page));
  const confirm = withButton(await browser.press(asked, /go/, { user_code: code }));
  const done = await browser.press(confirm, /go/, { confirm: "yes" });

  assert.equal(await login.exited, 0, `${done.status} ${done.text}\n${login.stderr.join("\n")}`);
  assert.match(login.stdout.join("\n"), /Logged in to/);
});

Deno.test("login without an upstream, and a paste that nobody waits for, are explained", async () => {
  await using it = await setUp();
  const { code, stderr } = await it.run("login", "--paste");

  assert.equal(code, 2);
  assert.match(stderr, /no program waits for a login/);
});

Deno.test("an upstream that cannot be reached is named, in one line and a hint", async () => {
  await using it = await setUp();
  const { code, stderr } = await it.run("login", `http://127.0.0.1:${freePort()}/mcp`);

  assert.equal(code, 1);
  assert.match(stderr, /^mcp-doorman: Cannot reach http:\/\/127\.0\.0\.1:\d+: .*refused/m);
});

Deno.test("what a killed program left behind does not stand in the way of a paste", async () => {
  await using it = await setUp();
  const killed = it.start("login", it.upstream.url);
  await killed.line("stderr", address);
  killed.signal("SIGKILL");
  await killed.exited;

  assert.match((await it.run("login", "--paste")).stderr, /no program waits for a login/);
  await using login = it.start("login", "--paste", it.upstream.url);
  const landed = await endOf(await login.line("stderr", address), it.redirectUrl);
  await login.line("stderr", /Paste the address/);
  await login.write(landed);
  assert.equal(await login.exited, 0);
  await killed[Symbol.asyncDispose]();
});

Deno.test("an upstream that asks for nothing needs no login", async () => {
  await using it = await setUp();
  await using open = startUpstream();

  const { code, stdout } = await it.run("login", open.url);

  assert.equal(code, 0);
  assert.match(stdout, /lets you in without a login/);
  assert.equal(open.sessions.size, 0);
});

const linux = { ignore: Deno.build.os !== "linux" };

Deno.test("without BROWSER the system's opener gets the address as its only argument", linux, async () => {
  await using it = await setUp();
  const bin = `${it.dir}/bin`;
  await Deno.mkdir(bin);
  await Deno.writeTextFile(
    `${bin}/xdg-open`,
    `#!/bin/sh\nprintf '%s %s' "$#" "$1" > "${it.dir}/part"\nmv "${it.dir}/part" "${it.dir}/opened"\n`,
  );
  await Deno.chmod(`${bin}/xdg-open`, 0o755);
  Object.assign(it.env, { OPEN_BROWSER: "true", PATH: `${bin}:${Deno.env.get("PATH")}` });
  await using login = it.start("login", it.upstream.url);
  const url = (await login.line("stderr", address)).trim();
  await newBrowser({ user: "alice" }).open(url);

  assert.equal(await login.exited, 0);
  const opened = async (): Promise<string> => {
    for (let tries = 0; tries < 200; tries++) {
      const text = await Deno.readTextFile(`${it.dir}/opened`).catch(() => "");
      if (text !== "") return text;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return "";
  };
  assert.equal(await opened(), `1 ${url}`);
});

Deno.test(
  "a machine without any opener says so, and the login goes on by the printed address",
  linux,
  async () => {
    await using it = await setUp();
    Object.assign(it.env, { OPEN_BROWSER: "true", PATH: `${it.dir}/nothing-here` });
    await using login = it.start("login", it.upstream.url);
    const url = (await login.line("stderr", address)).trim();
    await login.line("stderr", /browser_not_opened/);
    await newBrowser({ user: "alice" }).open(url);

    assert.equal(await login.exited, 0);
    assert.match(login.stdout.join("\n"), /Logged in to/);
  },
);
