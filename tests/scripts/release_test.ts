import { fileURLToPath } from "node:url";
import assert from "node:assert/strict";
import { version } from "../../lib/base/version.ts";
import { archive, type Target, targets } from "../../scripts/build/archive.ts";
import { notes } from "../../scripts/release/notes.ts";
import { findProgram } from "../support/services.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

Deno.test("notes() sorts commit subjects under headings and leaves the rest out", () => {
  const text = notes(["feat(bridge): bind consent", "fix: a leak", "test: more", "merge", "feat!: another"]);

  assert.equal(text, "## New\n\n- **bridge**: bind consent\n- another\n\n## Fixed\n\n- a leak\n");
});

const node = findProgram("node");

Deno.test({
  name: "the npm package starts the executable of its platform, with its arguments, stdin and exit code",
  ignore: node === undefined || Deno.build.os !== "linux" || Deno.build.arch !== "x86_64",
}, async () => {
  await withRelease(targets, async ({ folder, made }) => {
    assert.equal(made.code, 0, made.said);
    const modules = `${folder}/node_modules`;
    await Deno.mkdir(modules);
    await Deno.rename(`${folder}/npm/mcp-doorman`, `${modules}/mcp-doorman`);
    await Deno.rename(`${folder}/npm/platforms/linux-x64`, `${modules}/mcp-doorman-linux-x64`);

    const child = new Deno.Command(node ?? "", {
      args: [`${modules}/mcp-doorman/mcp-doorman.js`, "--flag", "a b"],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode("hello\n"));
    await writer.close();
    const { code, stdout } = await child.output();

    assert.equal(new TextDecoder().decode(stdout), "--flag a b hello\n");
    assert.equal(code, 7);
    const manifest = JSON.parse(await Deno.readTextFile(`${modules}/mcp-doorman/package.json`));
    assert.deepEqual(
      manifest.optionalDependencies,
      Object.fromEntries(targets.map(({ name }) => [`mcp-doorman-${name}`, version])),
    );
    assert.equal(manifest.scripts, undefined);
    const windows = JSON.parse(await Deno.readTextFile(`${folder}/npm/platforms/windows-x64/package.json`));
    assert.deepEqual([windows.os, windows.cpu, windows.files], [["win32"], ["x64"], ["mcp-doorman.exe"]]);
    assert.ok(await Deno.stat(`${folder}/npm/platforms/windows-x64/mcp-doorman.exe`));
  });
});

Deno.test({
  name: "no npm package is made while a platform's archive is missing",
  ignore: Deno.build.os === "windows",
}, async () => {
  await withRelease(targets.slice(0, 2), async ({ folder, made }) => {
    assert.equal(made.code, 1, made.said);
    assert.match(made.said, /^Cannot unpack \S+macos-intel\.tar\.gz$/m);
    await assert.rejects(Deno.stat(`${folder}/npm/mcp-doorman`));
  });
});

/** Makes the npm packages of a release that has the archives of these platforms, each with a script for a program. */
async function withRelease(
  present: readonly Target[],
  look: (release: { folder: string; made: { code: number; said: string } }) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/dist`);
    for (const target of present) {
      const program = `${folder}/${target.name}/mcp-doorman${target.exe}`;
      await Deno.mkdir(`${folder}/${target.name}`);
      await Deno.writeTextFile(program, '#!/bin/sh\nread line\necho "$@ $line"\nexit 7\n', { mode: 0o755 });
      await archive(program, `${folder}/dist/mcp-doorman-${target.name}`, target);
    }
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "scripts/release/npm.ts", `${folder}/dist`, `${folder}/npm`],
      cwd: root,
      env: { NO_COLOR: "1" },
    }).output();
    await look({ folder, made: { code, said: new TextDecoder().decode(stderr) } });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
