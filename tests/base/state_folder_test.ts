import assert from "node:assert/strict";
import { join } from "node:path";
import { UserError } from "../../lib/base/errors.ts";
import { createPrivateFile, ensureStateFolder } from "../../lib/base/state_folder.ts";

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("createPrivateFile() never replaces a file, and says so", async () => {
  await inFolder(async (folder) => {
    const file = join(folder, "secret");

    assert.equal(await createPrivateFile(file, "first"), true);
    assert.equal(await createPrivateFile(file, "second"), false);

    assert.equal(await Deno.readTextFile(file), "first");
    assert.equal((await Array.fromAsync(Deno.readDir(folder))).length, 1);
    if (Deno.build.os !== "windows") assert.equal(((await Deno.stat(file)).mode ?? 0) & 0o777, 0o600);
  });
});

Deno.test("createPrivateFile() of several at once is won by one", async () => {
  await inFolder(async (folder) => {
    const file = join(folder, "secret");

    const won = await Promise.all([1, 2, 3, 4, 5].map((n) => createPrivateFile(file, `${n}`)));

    assert.equal(won.filter(Boolean).length, 1);
    assert.equal(await Deno.readTextFile(file), `${won.indexOf(true) + 1}`);
  });
});

Deno.test("a folder that cannot be made is a clear error", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "file"), "");

    await assert.rejects(ensureStateFolder(join(folder, "file", "state")), UserError);
    await assert.rejects(createPrivateFile(join(folder, "none", "secret"), ""), UserError);
  });
});

Deno.test({
  name: "a folder that others may list but not write to will do",
  ignore: Deno.build.os === "windows",
  async fn() {
    await inFolder(async (folder) => {
      await Deno.chmod(folder, 0o755);
      await ensureStateFolder(folder);
      await Deno.chmod(folder, 0o775);
      await assert.rejects(ensureStateFolder(folder), UserError);
    });
  },
});
