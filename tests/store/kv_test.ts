import assert from "node:assert/strict";
import { join } from "node:path";
import { UserError } from "../../lib/base/errors.ts";
import { type Logger, silentLog } from "../../lib/base/log.ts";
import { openKv } from "../../lib/store/kv.ts";
import { StoreUnavailable } from "../../lib/store/store.ts";
import { fakeClock } from "../fakes/clock.ts";
import { storeCases } from "./store_cases.ts";
import { heardLog } from "../support/watched_log.ts";

async function temporary() {
  const folder = await Deno.makeTempDir();
  return {
    path: join(folder, "state", "store.db"),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

function loggedEvents(): { log: Logger; events: string[] } {
  const events: string[] = [];
  return { log: heardLog({ error: (event) => void events.push(event) }), events };
}

storeCases("kv", async () => {
  const clock = fakeClock();
  const folder = await temporary();
  const store = await openKv(folder.path, clock, silentLog);
  return {
    store,
    pass: (ms) => clock.advance(ms),
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
});

Deno.test("kv: what was written is there after a restart", async () => {
  await using folder = await temporary();
  const clock = fakeClock();
  {
    await using store = await openKv(folder.path, clock, silentLog);
    await store.put(["a"], 1, 60_000);
  }

  await using store = await openKv(folder.path, clock, silentLog);
  assert.equal((await store.get(["a"]))?.value, 1);
});

Deno.test("kv: a value that is too long is refused with its kind and size", async () => {
  await using folder = await temporary();
  await using store = await openKv(folder.path, fakeClock(), silentLog);

  await assert.rejects(
    store.put(["idp_tokens", "x"], "x".repeat(65_536), 60_000),
    (error) => error instanceof RangeError && /idp_tokens/.test(error.message),
  );
});

Deno.test({
  name: "kv: folder and files are their owner's alone",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using folder = await temporary();
    await using _store = await openKv(folder.path, fakeClock(), silentLog);

    const state = join(folder.path, "..");
    assert.equal(((await Deno.stat(state)).mode ?? 0) & 0o777, 0o700);
    for await (const entry of Deno.readDir(state)) {
      assert.equal(((await Deno.stat(join(state, entry.name))).mode ?? 0) & 0o777, 0o600, entry.name);
    }
  },
});

Deno.test("kv: a file that is no database is set aside with a line, and the store works", async () => {
  await using folder = await temporary();
  await Deno.mkdir(join(folder.path, ".."), { recursive: true });
  await Deno.writeTextFile(
    folder.path,
    "this is no database, and long enough to be looked at as one ".repeat(200),
  );
  const { log, events } = loggedEvents();

  await using store = await openKv(folder.path, fakeClock(), log);
  await store.put(["a"], 1, 60_000);

  assert.equal((await store.get(["a"]))?.value, 1);
  assert.deepEqual(events, ["store_file_corrupt"]);
  const names = (await Array.fromAsync(Deno.readDir(join(folder.path, "..")))).map((entry) => entry.name);
  assert.ok(names.some((name) => name.startsWith("store.db.corrupt-")));
});

Deno.test("kv: a place where nothing can be written is a clear error", async () => {
  await using folder = await temporary();
  await Deno.mkdir(folder.path, { recursive: true });

  await assert.rejects(
    openKv(folder.path, fakeClock(), silentLog),
    (error) => error instanceof UserError && error.message.startsWith(`Cannot open the store ${folder.path}`),
  );
});

Deno.test("kv: a closed store is unavailable", async () => {
  await using folder = await temporary();
  const store = await openKv(folder.path, fakeClock(), silentLog);
  await store[Symbol.asyncDispose]();

  await assert.rejects(store.get(["a"]), StoreUnavailable);
});
