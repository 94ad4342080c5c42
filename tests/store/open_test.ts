import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { systemClock } from "../../lib/base/clock.ts";
import { UserError } from "../../lib/base/errors.ts";
import { silentLog } from "../../lib/base/log.ts";
import { openStore } from "../../lib/store/open.ts";
import { openRedis } from "../../lib/store/redis.ts";
import { lockStateFolder } from "../../lib/store/state_lock.ts";
import { startRedis } from "../support/redis.ts";
import { testWithService } from "../support/services.ts";

const context = { clock: systemClock, log: silentLog };

function script(name: string, args: readonly string[]): Deno.ChildProcess {
  const path = fileURLToPath(new URL(name, import.meta.url));
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--unstable-kv", path, ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

async function firstLine(child: Deno.ChildProcess): Promise<string> {
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  reader.releaseLock();
  return new TextDecoder().decode(value).trim();
}

Deno.test("a second process on the same state is refused with the way out; a killed one leaves no lock", async () => {
  const folder = await Deno.makeTempDir();
  const path = join(folder, "store.db");
  const holder = script("./holder.ts", [path]);
  try {
    assert.equal(await firstLine(holder), "open");

    await assert.rejects(
      lockStateFolder(folder, 100),
      (error) =>
        error instanceof UserError && /another/.test(error.message) && /REDIS_URL/.test(error.hint ?? ""),
    );

    holder.kill("SIGKILL");
    await holder.status;
    await using store = await openStore({ kind: "kv", path }, context);
    await store.put(["a"], 1, 60_000);
    assert.equal((await store.get(["a"]))?.value, 1);
  } finally {
    await holder.stdin.close().catch(() => {});
    await holder.stdout.cancel();
    await holder.status;
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a store that is closed frees its folder, and a start waits a moment for it", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const first = await openStore({ kind: "kv", path: join(folder, "store.db") }, context);
    const second = openStore({ kind: "kv", path: join(folder, "store.db") }, context);
    await first[Symbol.asyncDispose]();
    await (await second)[Symbol.asyncDispose]();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

testWithService(
  "redis",
  "redis: of several processes exactly one gets each mark, and no addition is lost",
  async (path) => {
    await using server = await startRedis(path);
    const racers = [1, 2, 3].map(() => script("./racer.ts", [server.url, "300"]));
    const won: number[] = [];
    for (const racer of racers) {
      await racer.stdin.close();
      won.push(...JSON.parse(new TextDecoder().decode((await racer.output()).stdout)));
    }

    assert.deepEqual(won.sort((a, b) => a - b), Array.from({ length: 300 }, (_, at) => at));
    await using store = await openRedis({ url: server.url, keyPrefix: "race:" }, silentLog);
    assert.equal((await store.get(["hits"]))?.value, 900);
  },
);
