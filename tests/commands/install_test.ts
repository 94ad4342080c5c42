import assert from "node:assert/strict";
import { parse as parseToml } from "@decimalturn/toml-patch";
import { parse as parseJsonc } from "jsonc-parser";
import { clients, type Machine } from "../../lib/commands/install/clients.ts";
import { compiledProgram } from "../../lib/commands/install/server.ts";
import { type DoormanOptions, runDoorman } from "../support/process.ts";

/** The level that the tests' programs run at would become part of the entry. */
const doorman = (args: readonly string[], options: DoormanOptions) =>
  runDoorman(args, { ...options, env: { LOG_LEVEL: "", ...options.env } });

/** A home folder with what a user of the client has in it. */
interface Fixture {
  readonly file: string;
  readonly text: string;
  /** The entry for `https://u.example/mcp` with a client id, without the part that starts this program. */
  readonly stdio: Readonly<Record<string, unknown>> | undefined;
  readonly http: Readonly<Record<string, unknown>> | undefined;
}

const others = '{\n  // what I use every day\n  "mcpServers": {\n    "files": {\n      "command": "npx",\n' +
  '      "args": ["-y", "files", "/home/me"], // my home\n    },\n  },\n  "other": { "a": 1 },\n}\n';

const env = { OIDC_CLIENT_ID: "c" };
const fixtures: Readonly<Record<string, Fixture>> = {
  "claude-desktop": {
    file: ".config/Claude/claude_desktop_config.json",
    text: others,
    stdio: { env },
    http: undefined,
  },
  "claude-code": {
    file: ".claude.json",
    text:
      '{\n  "numStartups": 3,\n  "mcpServers": {},\n  "projects": { "/x": { "mcpServers": { "a": {} } } }\n}',
    stdio: { type: "stdio", env },
    http: { type: "http", url: "https://u.example/mcp" },
  },
  "cursor": {
    file: ".cursor/mcp.json",
    text: others,
    stdio: { env },
    http: { url: "https://u.example/mcp" },
  },
  "vscode": {
    file: ".config/Code/User/mcp.json",
    text:
      '{\n\t"inputs": [], // asked for\n\t"servers": {\n\t\t"a": { "type": "http", "url": "https://a" },\n\t},\n}\n',
    stdio: { type: "stdio", env },
    http: { type: "http", url: "https://u.example/mcp" },
  },
  "codex": {
    file: ".codex/config.toml",
    text: '# mine\nmodel = "m" # good\n\n[mcp_servers.a]\ncommand = "npx" # why not\nargs = ["-y", "a"]\n',
    stdio: { env },
    http: { url: "https://u.example/mcp" },
  },
  "windsurf": {
    file: ".codeium/windsurf/mcp_config.json",
    text: others,
    stdio: { env },
    http: { serverUrl: "https://u.example/mcp" },
  },
  "gemini": {
    file: ".gemini/settings.json",
    text: '{\n  "theme": "GitHub",\n  "selectedAuthType": "oauth-personal"\n}\n',
    stdio: { env },
    http: { httpUrl: "https://u.example/mcp" },
  },
};

async function homeWith(file: string, text: string): Promise<{ home: string } & AsyncDisposable> {
  const home = await Deno.makeTempDir({ prefix: "doorman-install-" });
  await Deno.mkdir(`${home}/${file}`.replace(/\/[^/]*$/, ""), { recursive: true });
  await Deno.writeTextFile(`${home}/${file}`, text);
  return { home, [Symbol.asyncDispose]: () => Deno.remove(home, { recursive: true }) };
}

function serversOf(name: string, text: string): Record<string, Record<string, unknown>> {
  const { format, section } = clients[name] ?? assert.fail(name);
  const whole = format === "toml" ? parseToml(text) : parseJsonc(text, [], { allowTrailingComma: true });
  return JSON.parse(JSON.stringify((whole as Record<string, unknown>)[section]));
}

Deno.test("every client has a fixture", () => assert.deepEqual(Object.keys(fixtures), Object.keys(clients)));

for (const [name, fixture] of Object.entries(fixtures)) {
  Deno.test({
    name: `install ${name} adds our entry, changes nothing else, and nothing at all the second time`,
    ignore: Deno.build.os !== "linux",
    async fn() {
      await using user = await homeWith(fixture.file, fixture.text);
      const path = `${user.home}/${fixture.file}`;
      const argv = ["install", name, "--oidc-client-id", "c", "--name", "ours", "https://u.example/mcp"];

      const first = await doorman(argv, { home: user.home });
      const after = await Deno.readTextFile(path);
      const again = await doorman(argv, { home: user.home });

      assert.equal(first.code, 0, first.stderr);
      const { command, args, ...rest } = serversOf(name, after).ours ?? {};
      assert.deepEqual(rest, fixture.stdio);
      assert.ok(typeof command === "string" && command.startsWith("/"), String(command));
      assert.equal((args as string[]).at(-1), "https://u.example/mcp");
      assert.equal(await Deno.readTextFile(`${path}.bak`), fixture.text);
      assert.match(first.stdout, /\+ .*ours/);
      assert.match(again.stdout, /has this entry already/);
      assert.equal(await Deno.readTextFile(path), after);

      const gone = await doorman(["install", name, "--remove", "--name", "ours"], { home: user.home });
      assert.equal(gone.code, 0, gone.stderr);
      const left = await Deno.readTextFile(path);
      assert.equal(serversOf(name, left)?.ours, undefined);
      if (name !== "gemini") assert.equal(left, fixture.text);
    },
  });

  Deno.test({
    name: `install ${name} writes a connector's address, or says what to click`,
    ignore: Deno.build.os !== "linux",
    async fn() {
      await using user = await homeWith(fixture.file, fixture.text);
      const argv = ["install", name, "--transport", "http", "https://u.example/mcp"];

      const { code, stdout, stderr } = await doorman(argv, { home: user.home });

      assert.equal(code, 0, stderr);
      const text = await Deno.readTextFile(`${user.home}/${fixture.file}`);
      if (fixture.http === undefined) {
        assert.match(stdout, /Add custom connector.*https:\/\/u\.example\/mcp/);
        assert.equal(text, fixture.text);
      } else {
        assert.deepEqual(serversOf(name, text)["u-example"], fixture.http);
      }
    },
  });
}

Deno.test("install --print shows the entry and writes nothing", async () => {
  await using user = await homeWith(".cursor/mcp.json", others);
  const { stdout } = await doorman(["install", "cursor", "--print", "https://u.example/mcp"], {
    home: user.home,
  });

  assert.equal(JSON.parse(stdout).mcpServers["u-example"].args.at(-1), "https://u.example/mcp");
  assert.equal(await Deno.readTextFile(`${user.home}/.cursor/mcp.json`), others);
});

Deno.test("install takes variables over and makes paths absolute, without showing secrets", async () => {
  await using user = await homeWith(".cursor/mcp.json", "{}");
  await Deno.writeTextFile(`${user.home}/key.pem`, "-----BEGIN PRIVATE KEY-----");
  const { stdout } = await doorman(
    [
      "install",
      "cursor",
      "--ca-file",
      "ca.pem",
      "--header",
      "X-Key: hush-hush",
      "--name=a",
      "https://u.example/mcp",
    ],
    {
      home: user.home,
      cwd: user.home,
      env: { OIDC_CLIENT_SECRET: "shy-secret", OIDC_CLIENT_KEY_FILE: "key.pem", BROWSER: "x" },
    },
  );

  const text = await Deno.readTextFile(`${user.home}/.cursor/mcp.json`);
  // What the machine itself needs for its network may be there as well.
  const { OIDC_CLIENT_SECRET, OIDC_CLIENT_KEY_FILE, CA_FILE, MCP_PROXY_HEADERS, BROWSER } = JSON.parse(text)
    .mcpServers.a.env;
  assert.equal(OIDC_CLIENT_SECRET, "shy-secret");
  assert.equal(MCP_PROXY_HEADERS, "X-Key: hush-hush");
  assert.ok(CA_FILE.startsWith("/") && CA_FILE.endsWith("/ca.pem"), CA_FILE);
  assert.ok(OIDC_CLIENT_KEY_FILE.endsWith("/key.pem"), OIDC_CLIENT_KEY_FILE);
  assert.equal(BROWSER, undefined);
  assert.doesNotMatch(stdout, /shy-secret|hush-hush/);
});

Deno.test("install keeps the file's mode and follows a symbolic link", async () => {
  await using user = await homeWith(".cursor/mcp.json", "{}");
  const real = `${user.home}/dotfiles.json`;
  await Deno.rename(`${user.home}/.cursor/mcp.json`, real);
  await Deno.chmod(real, 0o640);
  await Deno.symlink(real, `${user.home}/.cursor/mcp.json`);

  const { code } = await doorman(["install", "cursor", "https://u.example/mcp"], { home: user.home });

  assert.equal(code, 0);
  assert.equal((await Deno.lstat(`${user.home}/.cursor/mcp.json`)).isSymlink, true);
  assert.match(await Deno.readTextFile(real), /u-example/);
  assert.equal(((await Deno.stat(real)).mode ?? 0) & 0o777, 0o640);
});

Deno.test("install refuses what it cannot do, and changes nothing", async () => {
  await using user = await homeWith(".cursor/mcp.json", "{ not json");
  const run = (...argv: string[]) => doorman(["install", ...argv], { home: user.home });

  const broken = await run("cursor", "https://u.example/mcp");
  assert.equal(broken.code, 1);
  assert.match(broken.stderr, /Cannot read .*mcp\.json: .* in line 1/);
  assert.equal(await Deno.readTextFile(`${user.home}/.cursor/mcp.json`), "{ not json");
  const absent = await run("codex", "https://u.example/mcp");
  assert.equal(absent.code, 1);
  assert.match(absent.stderr, /Cannot find Codex here/);
  const unknown = await run("cursr", "https://u.example/mcp");
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /Did you mean cursor\?/);
  assert.equal((await run("cursor")).code, 2);
  assert.equal((await run("cursor", "--name", "a b", "https://u.example/mcp")).code, 2);
  assert.equal((await run("cursor", "--oidc-redirect-url", "https://x", "https://u.example/mcp")).code, 2);
});

Deno.test("an entry made through npx starts npx again", () => {
  const path = "/home/u/.npm/_npx/ab12/node_modules/mcp-doorman-linux-x64/mcp-doorman";

  assert.deepEqual(compiledProgram(path), { command: "npx", args: ["-y", "mcp-doorman@latest"] });
  assert.deepEqual(compiledProgram("/usr/bin/mcp-doorman"), { command: "/usr/bin/mcp-doorman", args: [] });
});

Deno.test("the files are where each system keeps them", () => {
  const mac: Machine = { os: "darwin", env: { HOME: "/Users/u" }, cwd: "/" };
  const windows: Machine = {
    os: "windows",
    env: { USERPROFILE: "C:\\Users\\u", APPDATA: "C:\\Users\\u\\R" },
    cwd: "/",
  };
  const places = (machine: Machine) => Object.values(clients).map((client) => client.userFile(machine));

  assert.deepEqual(places(mac), [
    "/Users/u/Library/Application Support/Claude/claude_desktop_config.json",
    "/Users/u/.claude.json",
    "/Users/u/.cursor/mcp.json",
    "/Users/u/Library/Application Support/Code/User/mcp.json",
    "/Users/u/.codex/config.toml",
    "/Users/u/.codeium/windsurf/mcp_config.json",
    "/Users/u/.gemini/settings.json",
  ]);
  assert.deepEqual(places(windows), [
    "C:\\Users\\u\\R/Claude/claude_desktop_config.json",
    "C:\\Users\\u/.claude.json",
    "C:\\Users\\u/.cursor/mcp.json",
    "C:\\Users\\u\\R/Code/User/mcp.json",
    "C:\\Users\\u/.codex/config.toml",
    "C:\\Users\\u/.codeium/windsurf/mcp_config.json",
    "C:\\Users\\u/.gemini/settings.json",
  ]);
  assert.ok(places({ os: "linux", env: {}, cwd: "/" }).every((file) => file === undefined));
});
