/** The binary runs nothing that lies in the folder for temporary files: it neither puts code there nor looks for it. */
import assert from "node:assert/strict";
import { doormanCommand } from "../support/process.ts";

const { command, compiled } = doormanCommand();

Deno.test(
  { name: "a start leaves no code in the folder for temporary files", ignore: !compiled },
  async () => {
    const folder = await Deno.makeTempDir();
    for (const args of [["--version"], ["--check-config", "http://127.0.0.1:9/mcp"], ["--help"]]) {
      const { success } = await new Deno.Command(command, {
        args,
        env: { TMPDIR: folder, TMP: folder, TEMP: folder },
        stdout: "null",
      }).output();
      assert.ok(success);
    }
    const left = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
    await Deno.remove(folder, { recursive: true });

    assert.deepEqual(left, []);
  },
);
