import { fileURLToPath } from "node:url";
import assert from "node:assert/strict";
import { targets } from "../../scripts/build/archive.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const ignore = Deno.build.os === "windows";

interface Built {
  readonly code: number;
  readonly said: string;
  readonly dist: string;
}

/** Builds with a compiler that writes a program which ends with `exit`; what it says and leaves is looked at. */
async function build(
  { exit = 0, compiler, args = [] }: { exit?: number; compiler?: string; args?: readonly string[] },
  look: (built: Built) => Promise<void> | void,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const fake = `${folder}/deno`;
    await Deno.writeTextFile(
      fake,
      `#!/bin/sh\nwhile [ "$1" != --output ]; do shift; done\n` +
        `printf '#!/bin/sh\\nexit ${exit}\\n' > "$2"\nchmod +x "$2"\n`,
      { mode: 0o755 },
    );
    const dist = `${folder}/dist`;
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "scripts/build.ts", `--out=${dist}`, ...args],
      cwd: root,
      env: { DENO_COMPILE: compiler ?? fake, DENORT_BIN: "/bin/true", NO_COLOR: "1" },
    }).output();
    await look({ code, said: new TextDecoder().decode(stderr), dist });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const [what, exit, good] of [["does not start", 1, false], ["starts", 0, true]] as const) {
  Deno.test({ name: `a compiled file that ${what} is ${good ? "taken" : "refused"}`, ignore }, async () => {
    await build({ exit }, ({ code, said }) => {
      assert.equal(code, good ? 0 : 1, said);
      assert.equal(/it does not start/.test(said), !good, said);
    });
  });
}

Deno.test({
  name: "--all makes what can be made here with its checksum, and says of the rest why not, a line each",
  ignore,
  async fn() {
    await build({ args: ["--all"] }, async ({ code, said, dist }) => {
      assert.equal(code, 1, said);
      const here = targets.find(({ triple }) => triple === Deno.build.target);
      const lines = said.trim().split("\n").filter((line) => line.startsWith("Cannot"));
      assert.deepEqual(
        lines.map((line) => /^Cannot compile (\S+) here: /.exec(line)?.[1]),
        targets.filter((target) => target !== here).map(({ name }) => name),
      );
      assert.doesNotMatch(said, /\bat .*\.ts:\d+/);
      const sums = await new Deno.Command("sh", {
        args: ["-c", "cat SHA256SUMS && (sha256sum -c SHA256SUMS || shasum -a 256 -c SHA256SUMS)"],
        cwd: dist,
        stderr: "null",
      }).output();
      assert.ok(sums.success);
      const text = new TextDecoder().decode(sums.stdout);
      assert.match(text, new RegExp(`^[0-9a-f]{64}  mcp-doorman-${here?.name}\\.`));
      assert.match(text, /: OK\n$/);
    });
  },
});

for (
  const [what, setup, line, exit] of [
    ["a compiler that is not there", { compiler: "/no/deno" }, /^Cannot start \/no\/deno: /, 1],
    ["an unknown platform", { args: ["--target=amiga"] }, /^--target is one of linux-x64, /, 1],
    ["an unknown option", { args: ["--al"] }, /^Unknown option '--al'/, 2],
  ] as const
) {
  Deno.test({ name: `${what} is one line and no stack`, ignore }, async () => {
    await build(setup, ({ code, said }) => {
      assert.equal(code, exit, said);
      assert.match(said.trim().split("\n").at(-1) ?? "", line);
      assert.doesNotMatch(said, /\bat .*\.ts:\d+/);
    });
  });
}

Deno.test({
  name: "what starting a mode loads is one file beside those of main.js, which do not load it",
  ignore,
  async fn() {
    await build({}, async ({ dist }) => {
      const imports = async (file: string, seen = new Set<string>()): Promise<Set<string>> => {
        if (seen.has(file)) return seen;
        seen.add(file);
        const text = await Deno.readTextFile(`${dist}/build/${file}`);
        for (const [, name = ""] of text.matchAll(/\b(?:from|import)\s*"\.\/([^"]+)"/g)) {
          await imports(name, seen);
        }
        return seen;
      };
      const first = await imports("main.js");
      const start = await imports("start.js");

      assert.ok(!first.has("start.js"));
      assert.deepEqual([...start].filter((file) => !first.has(file)), ["start.js"]);
    });
  },
});
