import assert from "node:assert/strict";
import {
  checkPrivate,
  defaultCacheDir,
  defaultStateDir,
  ensurePrivateFile,
  openPrivateDir,
  readPrivateFile,
  writePrivateFile,
} from "../../lib/base/files.ts";

const posix = { ignore: Deno.build.os === "windows" };

function env(values: Record<string, string>) {
  return (name: string) => values[name] || undefined;
}

async function inTemporary(work: (dir: string) => void | Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "doorman-files-" });
  try {
    await work(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const modeOf = (path: string) => (Deno.statSync(path).mode ?? 0) & 0o777;

Deno.test("the folders follow each system's custom", () => {
  assert.equal(defaultCacheDir(env({ HOME: "/h" }), "linux"), "/h/.cache/mcp-doorman");
  assert.equal(defaultCacheDir(env({ HOME: "/h", XDG_CACHE_HOME: "/c" }), "linux"), "/c/mcp-doorman");
  assert.equal(defaultCacheDir(env({ HOME: "/h", XDG_CACHE_HOME: "rel" }), "linux"), "/h/.cache/mcp-doorman");
  assert.equal(defaultCacheDir(env({ LOCALAPPDATA: "C:\\L" }), "windows"), "C:\\L/mcp-doorman");
  assert.equal(defaultStateDir(env({ HOME: "/h" }), "darwin"), "/h/.local/state/mcp-doorman");
  assert.equal(defaultStateDir(env({ HOME: "/h", STATE_DIRECTORY: "/var/lib/d:/x" }), "linux"), "/var/lib/d");
  assert.throws(() => defaultCacheDir(env({}), "linux"), /HOME is not set/);
});

Deno.test("a new folder is 0700 and a new file 0600", posix, () =>
  inTemporary((dir) => {
    openPrivateDir(`${dir}/a/b`);
    ensurePrivateFile(`${dir}/a/b/f`);
    writePrivateFile(`${dir}/a/b/g`, "text");

    assert.equal(modeOf(`${dir}/a/b`), 0o700);
    assert.equal(modeOf(`${dir}/a/b/f`), 0o600);
    assert.equal(modeOf(`${dir}/a/b/g`), 0o600);
    assert.equal(readPrivateFile(`${dir}/a/b/g`), "text");
    assert.equal(readPrivateFile(`${dir}/a/b/none`), undefined);
  }));

Deno.test(
  "a folder or file that others may open is refused with the command that mends it",
  posix,
  () =>
    inTemporary((dir) => {
      for (const mode of [0o750, 0o705, 0o770, 0o755]) {
        Deno.chmodSync(dir, mode);
        assert.throws(
          () => openPrivateDir(dir),
          (error: Error & { hint?: string }) =>
            /others may open it \(mode 0/.test(error.message) && /chmod 700/.test(error.hint ?? ""),
        );
      }
      Deno.chmodSync(dir, 0o700);
      Deno.writeTextFileSync(`${dir}/f`, "secret");
      for (const mode of [0o640, 0o604, 0o644, 0o620]) {
        Deno.chmodSync(`${dir}/f`, mode);
        assert.throws(() => readPrivateFile(`${dir}/f`), /others may open it/);
        assert.throws(() => ensurePrivateFile(`${dir}/f`), /others may open it/);
      }
    }),
);

Deno.test("a symbolic link is refused, wherever it points", posix, () =>
  inTemporary((dir) => {
    Deno.mkdirSync(`${dir}/real`, { mode: 0o700 });
    writePrivateFile(`${dir}/real/f`, "x");
    Deno.symlinkSync(`${dir}/real`, `${dir}/link`);
    Deno.symlinkSync(`${dir}/real/f`, `${dir}/real/g`);
    Deno.symlinkSync(`${dir}/nowhere`, `${dir}/dangling`);

    assert.throws(() => openPrivateDir(`${dir}/link`), /symbolic link/);
    assert.throws(() => readPrivateFile(`${dir}/real/g`), /symbolic link/);
    assert.throws(() => ensurePrivateFile(`${dir}/dangling`), /symbolic link/);
  }));

Deno.test(
  "a foreign owner is refused",
  { ignore: Deno.build.os === "windows" || Deno.uid() !== 0 },
  () =>
    inTemporary((dir) => {
      Deno.mkdirSync(`${dir}/d`, { mode: 0o700 });
      writePrivateFile(`${dir}/d/f`, "x");
      Deno.chownSync(`${dir}/d/f`, 12_345, 12_345);
      assert.throws(() => readPrivateFile(`${dir}/d/f`), /belongs to user 12345/);
      Deno.chownSync(`${dir}/d`, 12_345, 12_345);
      assert.throws(() => openPrivateDir(`${dir}/d`), /belongs to user 12345/);
    }),
);

Deno.test("what is not of the wanted kind is refused", () =>
  inTemporary((dir) => {
    Deno.chmodSync(dir, 0o700);
    Deno.mkdirSync(`${dir}/d`, { mode: 0o700 });
    writePrivateFile(`${dir}/f`, "x");
    assert.throws(() => checkPrivate(`${dir}/d`, "file"), /not a file/);
    assert.throws(() => openPrivateDir(`${dir}/f`), /not a folder/);
  }));

Deno.test("a file is replaced as a whole and leaves nothing behind", () =>
  inTemporary((dir) => {
    writePrivateFile(`${dir}/f`, "old");
    writePrivateFile(`${dir}/f`, "new");
    assert.deepEqual([...Deno.readDirSync(dir)].map(({ name }) => name), ["f"]);
    assert.throws(() => writePrivateFile(`${dir}/missing/f`, "x"), /Cannot write/);
  }));
