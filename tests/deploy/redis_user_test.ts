/** The Redis user of docs/redis.md, made with the line that stands there. */
import assert from "node:assert/strict";
import { silentLog } from "../../lib/base/log.ts";
import { openRedis } from "../../lib/store/redis.ts";
import { startRedis } from "../support/redis.ts";
import { testWithService } from "../support/services.ts";

testWithService(
  "redis",
  "the documented user may do all that the store does, below its own prefix only",
  async (path) => {
    const page = await Deno.readTextFile(new URL("../../docs/redis.md", import.meta.url));
    const line = /^ACL SETUSER (\w+) .*>(\w+) .*$/m.exec(page);
    const keyPrefix = /^REDIS_KEY_PREFIX=(\S+)/m.exec(page)?.[1] ?? "";
    assert.ok(line !== null && keyPrefix !== "");
    await using redis = await startRedis(path);
    const cli = async (...args: string[]) => {
      const command = new Deno.Command("redis-cli", { args: ["-p", String(redis.port), ...args] });
      return new TextDecoder().decode((await command.output()).stdout).trim();
    };
    assert.equal(await cli(...line[0].split(" ")), "OK");
    const [, user, password] = line;
    const open = (prefix: string) =>
      openRedis(
        { url: `redis://${user}:${password}@127.0.0.1:${redis.port}/0`, keyPrefix: prefix },
        silentLog,
      );

    await using store = await open(keyPrefix);
    await store.ping();
    await store.put(["a"], { n: 1 }, 60_000);
    const kept = await store.get(["a"]);
    assert.deepEqual(kept?.value, { n: 1 });
    assert.equal(await store.putIf(["a"], kept?.version, 2, 60_000), true);
    assert.equal(await store.add(["count"], 3, 60_000), 3);
    assert.equal(await store.deleteIf(["a"], (await store.get(["a"]))?.version ?? ""), true);
    await store.delete(["count"]);

    await using other = await open("another-deployment:");
    await assert.rejects(other.get(["a"]), /NOPERM|No permissions/i);
  },
);
