import assert from "node:assert/strict";
import { commands } from "../lib/commands/list.ts";
import { help } from "../lib/commands/help.ts";
import { entries } from "../lib/config/table.ts";
import { build } from "../lib/base/version.ts";
import { baseEnv, doormanCommand, runDoorman } from "./support/process.ts";
import { hasTerminal, inTerminal } from "./support/terminal.ts";

const compiled = doormanCommand().compiled;

Deno.test("--version is one line on stdout with version, commit, builder and project", async () => {
  for (const flag of ["--version", "-V"]) {
    const { code, stdout, stderr } = await runDoorman([flag]);

    assert.equal(code, 0);
    assert.match(stdout, /^mcp-doorman \d+\.\d+\.\d+\S* \(.+\) https:\/\/\S+$/);
    assert.equal(stderr, "");
    if (!compiled) assert.ok(stdout.includes(build.version));
  }
});

Deno.test("--help names every command and every option, by mode; help of a command or a mode is that part", async () => {
  const { code, stdout } = await runDoorman(["--help"]);

  assert.equal(code, 0);
  for (const name of Object.keys(commands)) assert.match(stdout, new RegExp(`mcp-doorman ${name}\\b`));
  const flags = (text: string) =>
    text.split("\n").flatMap((line) => /^ {2}--(?:\[no-\])?([\w-]+)/.exec(line)?.[1] ?? []);
  const known = (...modes: string[]) =>
    entries.filter(([, { mode }]) => modes.includes(mode)).flatMap(([, { flag }]) => flag ?? []);
  assert.deepEqual(flags(stdout).sort(), known("both", "stdio", "http").sort());
  const titles = ["STDIO MODE", "HTTP MODE", "BOTH MODES"].map((title) => stdout.indexOf(title));
  assert.ok(titles.every((at, index) => at > (titles[index - 1] ?? 0)), String(titles));
  for (const argv of [["help", "install"], ["install", "--help"]]) {
    const { stdout: own } = await runDoorman(argv);
    assert.match(own, /^mcp-doorman install <client>/);
    assert.match(own, /--print/);
  }
  for (const argv of [["help", "stdio"], ["--transport", "stdio", "--help"]]) {
    assert.deepEqual(flags((await runDoorman(argv)).stdout).sort(), known("both", "stdio").sort());
  }
  const unknown = await runDoorman(["help", "logn"]);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /^mcp-doorman: Cannot show help for "logn"/);
});

Deno.test("-h fits on a screen or two and says where the rest is", async () => {
  const { code, stdout } = await runDoorman(["-h"]);

  assert.equal(code, 0);
  const lines = stdout.split("\n");
  assert.ok(lines.length <= 70, `${lines.length} lines`);
  assert.ok(lines.every((line) => line.length <= 120), lines.find((line) => line.length > 120));
  assert.match(lines.at(-1) ?? "", /mcp-doorman --help/);
});

Deno.test("every example of the help is a good command line", async () => {
  const examples = help().replaceAll("\\\n", "").split("\n").filter((line) =>
    /^ {2}mcp-doorman .*https:/.test(line)
  );

  assert.ok(examples.length >= 5);
  for (const example of examples) {
    const words = [...example.matchAll(/"[^"]*"|'[^']*'|\S+/g)].map(([word]) => word.replaceAll(/["']/g, ""));
    const { code, stderr } = await runDoorman([...words.slice(1), "--check-config"], { env: { KEY: "k" } });
    assert.equal(code, 0, `${example}\n${stderr}`);
  }
});

Deno.test("a wrong command line is one line per problem on stderr, nothing on stdout, and exit code 2", async () => {
  const { code, stdout, stderr } = await runDoorman([
    "--oidc-isuer-url",
    "x",
    "--port",
    "abc",
    "--transport=http",
  ]);

  assert.equal(code, 2);
  assert.equal(stdout, "");
  const lines = stderr.trimEnd().split("\n");
  assert.ok(lines.length >= 4 && lines.every((line) => line.startsWith("mcp-doorman: Cannot ")), stderr);
  assert.match(stderr, /did you mean --oidc-issuer-url\?/);
});

Deno.test("an unknown command is refused with the nearest one", async () => {
  const { code, stderr } = await runDoorman(["instal", "cursor"]);

  assert.equal(code, 2);
  assert.match(stderr, /Cannot run "instal": there is no such command\nDid you mean install\?/);
});

Deno.test("--silent does not hide what is wrong with the configuration", async () => {
  const { code, stderr } = await runDoorman(["--silent", "ftp://x"]);

  assert.equal(code, 2);
  assert.match(stderr, /ftp:\/\/x/);
});

Deno.test("--check-config says that all is good, or what is not, and starts nothing", async () => {
  const good = await runDoorman(["--check-config", "https://u.example/mcp"]);
  assert.equal(good.code, 0, good.stderr);
  assert.match(good.stdout, /stdio mode/);

  const bad = await runDoorman(["--check-config", "--transport", "http"]);
  assert.equal(bad.code, 2);
  assert.match(bad.stderr, /MCP_PROXY_BASE_URL/);
});

Deno.test({
  name: "an --env-file that is a pipe is read whole, whichever mode it asks for",
  ignore: Deno.build.os === "windows",
  async fn() {
    const { command, args } = doormanCommand();
    const home = await Deno.makeTempDir();
    const { code, stderr } = await new Deno.Command("bash", {
      args: [
        "-c",
        `"$0" "$@" --env-file <(echo PROXY_BASE_URL=ftp://x)`,
        command,
        ...args,
        "https://u.example/mcp",
      ],
      clearEnv: true,
      env: baseEnv(home),
      stdin: "null",
    }).output();
    await Deno.remove(home, { recursive: true });

    assert.equal(code, 2);
    assert.match(new TextDecoder().decode(stderr), /Cannot use "ftp:\/\/x" as PROXY_BASE_URL/);
  },
});

Deno.test("secret prints one that is accepted", async () => {
  const { stdout } = await runDoorman(["secret"]);
  assert.match(stdout, /^[A-Za-z0-9_-]{64}$/);

  const other = await runDoorman(["secret"]);
  assert.notEqual(stdout, other.stdout);
  const env = {
    PROXY_BASE_URL: "https://d.example",
    UPSTREAM_MCP_URL: "https://u.example/mcp",
    OIDC_ISSUER_URL: "https://i.example",
    OIDC_CLIENT_ID: "c",
    TOKEN_SIGNING_SECRET: stdout.trim(),
  };
  assert.equal((await runDoorman(["--check-config"], { env })).code, 0);
});

Deno.test({
  name: "in a terminal it says what it is and the next three commands, instead of hanging",
  ignore: !hasTerminal(),
  async fn() {
    const named = await inTerminal(["https://u.example/mcp"]);
    const bare = await inTerminal([]);

    for (const { code, output } of [named, bare]) {
      assert.equal(code, 0, output);
      for (const command of ["install", "login", "doctor"]) {
        assert.match(output, new RegExp(`mcp-doorman ${command} `));
      }
    }
    assert.match(named.output, /login https:\/\/u\.example\/mcp/);
    const wrong = await inTerminal(["--port", "x", "nope"]);
    assert.equal(wrong.code, 2, wrong.output);
  },
});
