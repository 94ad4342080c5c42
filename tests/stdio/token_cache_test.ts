import assert from "node:assert/strict";
import { type Fields, type Logger, silentLog } from "../../lib/base/log.ts";
import type { Grant } from "../../lib/stdio/grant.ts";
import { type KvStore, readValue, writeValue } from "../../lib/stdio/kv_values.ts";
import { lockMachine } from "../../lib/stdio/machine_lock.ts";
import { tokenCache } from "../../lib/stdio/token_cache.ts";
import { temporaryDir } from "./login_setup.ts";
import { heardLog } from "../support/watched_log.ts";

const posix = { ignore: Deno.build.os === "windows" };

const grant: Grant = {
  upstream: "https://mcp.example/mcp",
  issuer: "https://issuer.example",
  clientId: "app",
  profile: "default",
  scopesAsked: ["openid"],
  accessToken: "a-token",
  obtainedAtMs: 1,
  loggedInAtMs: 1,
  how: "browser",
};

function noting(): { log: Logger; said: [string, Fields | undefined][] } {
  const said: [string, Fields | undefined][] = [];
  return { said, log: heardLog({ warn: (event, fields) => void said.push([event, fields]) }) };
}

Deno.test("what is put is found by the next process, listed, and gone after deletion", async () => {
  await using dir = await temporaryDir();
  await tokenCache(`${dir.path}/c`, silentLog).use((access) => access.putGrant("k", grant));

  const cache = tokenCache(`${dir.path}/c`, silentLog);
  assert.deepEqual(await cache.use((access) => access.grant("k")), grant);
  assert.deepEqual(await cache.use((access) => access.grants()), [["k", grant]]);
  await cache.use((access) => access.deleteGrant("k"));
  assert.equal(await cache.use((access) => access.grant("k")), undefined);
});

Deno.test("folder and files are the user's alone", posix, async () => {
  await using dir = await temporaryDir();
  await tokenCache(`${dir.path}/c`, silentLog).use((access) => access.putGrant("k", grant));

  const mode = async (path: string) => ((await Deno.stat(path)).mode ?? 0) & 0o777;
  assert.equal(await mode(`${dir.path}/c`), 0o700);
  for await (const { name } of Deno.readDir(`${dir.path}/c`)) {
    assert.equal(await mode(`${dir.path}/c/${name}`), 0o600);
  }
});

Deno.test(
  "a cache that others may open, that is a link, or that is somebody else's is refused",
  posix,
  async () => {
    await using dir = await temporaryDir();
    const at = `${dir.path}/c`;
    const use = () => tokenCache(at, silentLog).use((access) => access.grant("k"));
    await use();

    await Deno.chmod(at, 0o755);
    await assert.rejects(use(), /Cannot use the folder .*others may open it \(mode 0755\)/);
    await Deno.chmod(at, 0o700);

    for (const file of ["tokens.kv", "tokens.lock"]) {
      await Deno.chmod(`${at}/${file}`, 0o644);
      await assert.rejects(use(), new RegExp(`Cannot use the file .*${file}.*others may open it`));
      await Deno.chmod(`${at}/${file}`, 0o600);
      await Deno.rename(`${at}/${file}`, `${dir.path}/${file}`);
      await Deno.symlink(`${dir.path}/${file}`, `${at}/${file}`);
      await assert.rejects(use(), /symbolic link/);
      await Deno.remove(`${at}/${file}`);
      await Deno.rename(`${dir.path}/${file}`, `${at}/${file}`);
      if (Deno.uid() === 0) {
        await Deno.chown(`${at}/${file}`, 12_345, 12_345);
        await assert.rejects(use(), /belongs to user 12345/);
        await Deno.chown(`${at}/${file}`, 0, 0);
      }
    }
    await use();

    await Deno.symlink(at, `${dir.path}/link`);
    await assert.rejects(
      tokenCache(`${dir.path}/link`, silentLog).use((access) => access.grant("k")),
      /symbolic link/,
    );
  },
);

Deno.test("a damaged file is set aside with a line that names it, and the cache works", async () => {
  await using dir = await temporaryDir();
  const at = `${dir.path}/c`;
  const { log, said } = noting();
  const cache = tokenCache(at, log);
  for (
    const damage of [
      "this is no database, and long enough to be looked at ",
      "SQLite format 3\0 and then nothing of it ",
    ]
  ) {
    await cache.use((access) => access.putGrant("k", grant));
    await Deno.writeTextFile(`${at}/tokens.kv`, damage.repeat(100));

    assert.equal(await cache.use((access) => access.grant("k")), undefined);

    const [event, fields] = said.pop() ?? [];
    assert.equal(event, "token_cache_set_aside");
    assert.match(await Deno.readTextFile(fields?.file ?? ""), /no database|and then nothing/);
  }
});

Deno.test("what another version wrote and we do not understand counts as absent", async () => {
  await using dir = await temporaryDir();
  const cache = tokenCache(`${dir.path}/c`, silentLog);
  const odd = { ...grant, accessToken: 7 } as unknown as Grant;
  await cache.use((access) => access.putGrant("odd", odd));
  const newer = { ...grant, addedLater: { x: 1 } } as Grant;
  await cache.use((access) => access.putGrant("newer", newer));

  assert.equal(await cache.use((access) => access.grant("odd")), undefined);
  assert.deepEqual(await cache.use((access) => access.grant("newer")), newer);
});

/** A grant whose JSON has this many bytes. */
function grantOfBytes(bytes: number): Grant {
  const frame = JSON.stringify({ ...grant, accessToken: "" }).length;
  return { ...grant, accessToken: "é" + "x".repeat(bytes - frame - 2) };
}

for (const bytes of [65_536, 65_537, 1_000_000]) {
  Deno.test(`a grant of ${bytes} bytes is kept, listed, replaced and gone, by another process too`, async () => {
    await using dir = await temporaryDir();
    const large = grantOfBytes(bytes);
    assert.equal(new TextEncoder().encode(JSON.stringify(large)).length, bytes);
    await tokenCache(`${dir.path}/c`, silentLog).use((access) => access.putGrant("k", large));
    await tokenCache(`${dir.path}/c`, silentLog).use((access) => access.putGrant("k2", grant));

    const cache = tokenCache(`${dir.path}/c`, silentLog);
    assert.deepEqual(await cache.use((access) => access.grant("k")), large);
    assert.deepEqual(await cache.use((access) => access.grants()), [["k", large], ["k2", grant]]);
    const next = grantOfBytes(bytes + 70_000);
    await cache.use((access) => access.putGrant("k", next));
    assert.deepEqual(await cache.use((access) => access.grant("k")), next);
    assert.equal(await partsIn(`${dir.path}/c`), Math.ceil((bytes + 70_000) / 65_536));
    await cache.use((access) => access.putGrant("k", grant));
    assert.deepEqual(await cache.use((access) => access.grant("k")), grant);
    assert.equal(await partsIn(`${dir.path}/c`), 0);
    await cache.use((access) => access.putGrant("k", large));
    await cache.use((access) => access.deleteGrant("k"));
    assert.equal(await cache.use((access) => access.grant("k")), undefined);
    assert.equal(await partsIn(`${dir.path}/c`), 0);
  });
}

async function partsIn(folder: string): Promise<number> {
  using kv = await Deno.openKv(`${folder}/tokens.kv`);
  return (await Array.fromAsync(kv.list({ prefix: ["part"] }))).length;
}

Deno.test("whoever dies at any step of writing a large grant leaves the old or the new one, and no parts for long", async () => {
  await using dir = await temporaryDir();
  using kv = await Deno.openKv(`${dir.path}/kv`);
  const name = ["grant", "k"] as const;
  for (const [oldBytes, newBytes] of [[500, 200_000], [200_000, 300_000], [200_000, 500]] as const) {
    const before = grantOfBytes(oldBytes);
    const after = grantOfBytes(newBytes);
    for (let steps = 0, died = true; died; steps++) {
      await writeValue(kv, name, before);

      died = await writeValue(dyingAfter(kv, steps), name, after).then(() => false, () => true);

      const found = JSON.stringify(await readValue(kv, name));
      assert.ok(found === JSON.stringify(before) || found === JSON.stringify(after), `${steps} steps`);
      if (steps === 0) assert.equal(found, JSON.stringify(before));
      if (!died) assert.equal(found, JSON.stringify(after));
    }
    await writeValue(kv, name, grant);
    assert.deepEqual(await Array.fromAsync(kv.list({ prefix: ["part"] })), []);
  }
});

/** A store whose process ends after so many writes. */
function dyingAfter(kv: Deno.Kv, steps: number): KvStore {
  let left = steps;
  const step = <T>(work: () => Promise<T>) => left-- > 0 ? work() : Promise.reject(new Error("killed"));
  return {
    get: kv.get.bind(kv),
    list: kv.list.bind(kv),
    set: (key, value) => step(() => kv.set(key, value)),
    delete: (key) => step(() => kv.delete(key)),
  };
}

Deno.test("a large value that lacks a part counts as absent", async () => {
  await using dir = await temporaryDir();
  using kv = await Deno.openKv(`${dir.path}/kv`);
  await writeValue(kv, ["grant", "k"], grantOfBytes(200_000));
  const parts = await Array.fromAsync(kv.list({ prefix: ["part"] }));
  await kv.delete(parts[1]?.key ?? []);

  assert.equal(await readValue(kv, ["grant", "k"]), undefined);
});

Deno.test("many uses at once take turns, and none is lost", async () => {
  await using dir = await temporaryDir();
  const caches = Array.from({ length: 4 }, () => tokenCache(`${dir.path}/c`, silentLog));

  await Promise.all(
    Array.from({ length: 40 }, (_, at) => caches[at % 4]?.use((access) => access.putGrant(`k${at}`, grant))),
  );

  assert.equal((await caches[0]?.use((access) => access.grants()))?.length, 40);
});

Deno.test("a lock lets one in at a time, and the next at once", async () => {
  await using dir = await temporaryDir();
  const path = `${dir.path}/l`;
  const order: string[] = [];
  const first = await lockMachine(path);
  const second = lockMachine(path).then((lock) => {
    order.push("second");
    return lock;
  });
  order.push("first");
  first[Symbol.dispose]();
  (await second)[Symbol.dispose]();

  assert.deepEqual(order, ["first", "second"]);
});

Deno.test("who gives up waiting for a lock does not keep it from others", async () => {
  await using dir = await temporaryDir();
  const path = `${dir.path}/l`;
  const first = await lockMachine(path);
  const abort = new AbortController();
  const given = lockMachine(path, abort.signal);
  abort.abort(new Error("enough"));
  await assert.rejects(given, /enough/);

  first[Symbol.dispose]();
  (await lockMachine(path))[Symbol.dispose]();
  await assert.rejects(lockMachine(path, abort.signal), /enough/);
});

Deno.test("who gives up while the system already waits for it frees the lock when it comes", async () => {
  await using dir = await temporaryDir();
  const path = `${dir.path}/l`;
  (await lockMachine(path))[Symbol.dispose]();
  using holder = await Deno.open(path, { read: true, write: true });
  await holder.lock(true);
  const abort = new AbortController();
  const given = lockMachine(path, abort.signal);
  await new Promise((resolve) => setTimeout(resolve, 50));
  abort.abort(new Error("enough"));
  await assert.rejects(given, /enough/);

  holder.unlockSync();

  (await lockMachine(path, AbortSignal.timeout(10_000)))[Symbol.dispose]();
});

Deno.test("a disk that takes no more is explained with the file's name and a way out", posix, async () => {
  await using dir = await temporaryDir();
  const program = new URL("./full_disk_program.ts", import.meta.url).pathname;
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const limited = async (limit: string) => {
    const { stdout } = await new Deno.Command("/bin/sh", {
      args: [
        "-c",
        `trap "" XFSZ; ulimit -f ${limit}; exec "$@"`,
        "sh",
        Deno.execPath(),
        ...["run", "-A", "--no-check", "--config", config, program, `${dir.path}/${limit}`],
      ],
      stderr: "null",
    }).output();
    return new TextDecoder().decode(stdout).trim();
  };

  assert.equal(await limited("unlimited"), "written");
  const said = await limited("8");

  assert.match(
    said,
    /^Cannot use the token cache ".*\/8\/tokens\.kv": .* \| Check that the disk is not full/,
  );
});
