import { fileURLToPath } from "node:url";
import assert from "node:assert/strict";
import { version } from "../../lib/base/version.ts";
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
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/dist`);
    await Deno.writeTextFile(
      `${folder}/dist/mcp-doorman`,
      '#!/bin/sh\nread line\necho "$@ $line"\nexit 7\n',
      { mode: 0o755 },
    );
    await must("tar", ["-czf", "mcp-doorman-linux-x64.tar.gz", "mcp-doorman"], `${folder}/dist`);
    await must(
      Deno.execPath(),
      ["run", "-A", "scripts/release/npm.ts", `${folder}/dist`, `${folder}/npm`],
      root,
    );
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
    assert.deepEqual(manifest.optionalDependencies, { "mcp-doorman-linux-x64": version });
    assert.equal(manifest.scripts, undefined);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

async function must(command: string, args: string[], cwd: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args, cwd }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}
