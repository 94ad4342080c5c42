/** The Redis user of docs/redis.md, made with the line that stands there. */
import assert from "node:assert/strict";
import { silentLog } from "../../lib/base/log.ts";
import { openRedis } from "../../lib/store/redis.ts";
import { startIdp } from "../fakes/idp.ts";
import { startUpstream } from "../fakes/upstream.ts";
import { startHttpMode } from "../support/http_mode.ts";
import { logIn } from "../support/oauth_client.ts";
import { refreshed, status } from "../support/operated.ts";
import { startRedis } from "../support/redis.ts";
import { testWithService } from "../support/services.ts";

const page = await Deno.readTextFile(new URL("../../docs/redis.md", import.meta.url));
const [line = "", user = "", password = ""] = /^ACL SETUSER (\w+) .*>(\w+) .*$/m.exec(page) ?? [];
const keyPrefix = /^REDIS_KEY_PREFIX=(\S+)/m.exec(page)?.[1] ?? "";

/** A server with that user, and the administrator's side of it. */
async function documented(path: string) {
  const redis = await startRedis(path);
  const admin = async (...args: string[]) => {
    const command = new Deno.Command("redis-cli", { args: ["-p", String(redis.port), ...args] });
    return new TextDecoder().decode((await command.output()).stdout).trim();
  };
  // One that was there before loses what it had.
  assert.equal(await admin("acl", "setuser", user, "allkeys", "allchannels", "+@all"), "OK");
  assert.equal(await admin(...line.split(" ")), "OK");
  const url = `redis://${user}:${password}@127.0.0.1:${redis.port}/0`;
  const open = (prefix: string) => openRedis({ url, keyPrefix: prefix }, silentLog);
  return { admin, url, open, [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose]() };
}

testWithService(
  "redis",
  "the documented user may run the commands that the program runs, and no others",
  async (path) => {
    await using redis = await documented(path);
    await redis.admin("config", "resetstat");
    await using store = await redis.open(keyPrefix);
    await store.put(["a"], { n: 1 }, 60_000);
    const kept = await store.get(["a"]);
    assert.deepEqual(kept?.value, { n: 1 });
    assert.equal(await store.putIf(["a"], kept?.version, 2, 60_000), true);
    assert.equal(await store.add(["count"], 3, 60_000), 3);
    assert.equal(await store.add(["count"], 1, 60_000), 4);
    assert.equal(await store.deleteIf(["a"], (await store.get(["a"]))?.version ?? ""), true);
    await store.delete(["count"]);
    await using idp = await startIdp();
    await using upstream = startUpstream();
    const signing = { TOKEN_SIGNING_SECRET: "0123456789abcdefghijklmnopqrstuvwxyz-user" };
    const env = { ...signing, REDIS_URL: redis.url, REDIS_KEY_PREFIX: keyPrefix };
    await using http = await startHttpMode({ idp, upstreamUrl: upstream.url, env });
    assert.equal(await status(http.mcpUrl, (await refreshed(await logIn(http.mcpUrl))).access_token), 200);

    const ran = [...(await redis.admin("info", "commandstats")).matchAll(/^cmdstat_(\S+?):/gm)];
    const may = [...line.matchAll(/ \+(\S+)/g)];
    const names = (found: RegExpExecArray[]) => found.map(([, name]) => name).sort();
    assert.equal(await redis.admin("acl", "log"), "");
    assert.equal(await redis.admin("info", "errorstats"), "# Errorstats");
    // HELLO needs no permission, it is the login.
    assert.deepEqual([...names(may), "config|resetstat", "hello"].sort(), names(ran));
  },
);

testWithService("redis", "and on the keys of its own prefix only", async (path) => {
  await using redis = await documented(path);
  await using other = await redis.open("another-deployment:");

  await assert.rejects(other.get(["a"]), /NOPERM|No permissions/i);
  for (const command of ["flushall", "keys *", "scan 0", "publish any x", "config get *", "acl list"]) {
    assert.match(await redis.admin("acl", "dryrun", user, ...command.split(" ")), /no permissions/, command);
  }
});
