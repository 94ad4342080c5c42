import assert from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import { UserError } from "../../lib/base/errors.ts";
import { type Logger, silentLog } from "../../lib/base/log.ts";
import { openRedis } from "../../lib/store/redis.ts";
import { type Store, StoreUnavailable } from "../../lib/store/store.ts";
import { startRedis } from "../support/redis.ts";
import { tlsFiles } from "../support/tls.ts";
import { unusedPort } from "../fakes/raw_upstream.ts";
import { findService, testWithService } from "../support/services.ts";
import { storeCases } from "./store_cases.ts";
import { heardLog } from "../support/watched_log.ts";

const { path: installed } = findService("redis");
const leftOut = installed === undefined && Deno.env.get("REQUIRE_SERVICES") !== "1";

storeCases("redis", async () => {
  const server = await startRedis(installed ?? "redis-server");
  const store = await openRedis({ url: server.url, keyPrefix: "test:" }, silentLog);
  return {
    store,
    // The server's clock is the real one.
    pass: (ms) => systemClock.sleep(ms + 20),
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}, leftOut);

async function untilAnswering(store: Store): Promise<void> {
  const until = Date.now() + 5_000;
  for (;;) {
    try {
      return await store.ping();
    } catch (error) {
      if (Date.now() > until) throw error;
      await systemClock.sleep(20);
    }
  }
}

function watched(): { log: Logger; events: string[]; causes: string[] } {
  const events: string[] = [];
  const causes: string[] = [];
  const write = (event: string, fields?: { cause?: string }) => {
    events.push(event);
    causes.push(fields?.cause ?? "");
  };
  return { log: heardLog({ info: write, warn: write }), events, causes };
}

testWithService(
  "redis",
  "redis: two stores with one prefix share everything, with two prefixes nothing",
  async (path) => {
    await using server = await startRedis(path);
    await using one = await openRedis({ url: server.url, keyPrefix: "a:" }, silentLog);
    await using two = await openRedis({ url: server.url, keyPrefix: "a:" }, silentLog);
    await using other = await openRedis({ url: server.url, keyPrefix: "" }, silentLog);

    const won = await Promise.all([one, two, one, two].map((it) => it.putIf(["used"], undefined, 1, 60_000)));

    assert.equal(won.filter(Boolean).length, 1);
    assert.equal((await two.get(["used"]))?.value, 1);
    assert.equal(await other.get(["used"]), undefined);
  },
);

testWithService(
  "redis",
  "redis: a lost server fails every verb within a second, and is used again when it is back",
  async (path) => {
    await using server = await startRedis(path);
    const { log, events } = watched();
    await using store = await openRedis({ url: server.url, keyPrefix: "" }, log);

    await server.kill();
    const begun = Date.now();
    const calls = [
      store.get(["a"]),
      store.put(["a"], 1, 1),
      store.putIf(["a"], undefined, 1, 1),
      store.add(["a"], 1, 1),
      store.delete(["a"]),
      store.deleteIf(["a"], "1"),
      store.ping(),
    ];
    const outcomes = await Promise.allSettled(calls);

    assert.ok(Date.now() - begun < 1_000);
    for (const each of outcomes) {
      assert.ok(each.status === "rejected" && each.reason instanceof StoreUnavailable);
    }
    await using _again = await startRedis(path, { port: server.port });
    await untilAnswering(store);
    assert.deepEqual(events, ["store_lost", "store_recovered"]);
  },
);

testWithService("redis", "redis: a lost server is not waited for, nor is its answer", async (path) => {
  await using server = await startRedis(path, { args: ["--enable-debug-command", "yes"] });
  await using store = await openRedis({ url: server.url, keyPrefix: "" }, silentLog);
  using freezer = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await freezer.write(new TextEncoder().encode("DEBUG SLEEP 3\r\n"));
  await systemClock.sleep(50);
  const inFlight = assert.rejects(store.get(["a"]), StoreUnavailable);

  await server.kill();
  const begun = Date.now();
  await inFlight;
  await assert.rejects(store.get(["a"]), StoreUnavailable);

  assert.ok(Date.now() - begun < 400);
});

testWithService(
  "redis",
  "redis: a primary that has become a replica is left, for whoever has its name now",
  async (path) => {
    await using server = await startRedis(path);
    const { log, events } = watched();
    await using store = await openRedis({ url: server.url, keyPrefix: "" }, log);
    using operator = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
    const say = async (line: string) => {
      await operator.write(new TextEncoder().encode(`${line}\r\n`));
      await operator.read(new Uint8Array(64));
    };

    await say("REPLICAOF 127.0.0.1 1");
    await assert.rejects(store.putIf(["a"], undefined, 1, 60_000), StoreUnavailable);
    await say("REPLICAOF NO ONE");
    await untilAnswering(store);

    assert.equal(await store.putIf(["a"], undefined, 1, 60_000), true);
    assert.deepEqual(events, ["store_lost", "store_recovered"]);
  },
);

testWithService("redis", "redis: a server that stopped answering fails within a second", async (path) => {
  await using server = await startRedis(path, { args: ["--enable-debug-command", "yes"] });
  await using store = await openRedis({ url: server.url, keyPrefix: "" }, silentLog);
  using freezer = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await freezer.write(new TextEncoder().encode("DEBUG SLEEP 3\r\n"));
  await systemClock.sleep(50);

  const begun = Date.now();
  await assert.rejects(store.get(["a"]), StoreUnavailable);

  assert.ok(Date.now() - begun < 1_000);
});

testWithService(
  "redis",
  "redis: a server that is not there at start is waited for in the background",
  async (path) => {
    await using server = await startRedis(path);
    await server.kill();
    const { log, events } = watched();

    await using store = await openRedis({ url: server.url, keyPrefix: "" }, log);
    await assert.rejects(store.ping(), StoreUnavailable);
    await using _again = await startRedis(path, { port: server.port });
    await untilAnswering(store);

    assert.deepEqual(events, ["store_lost", "store_recovered"]);
  },
);

testWithService(
  "redis",
  "redis: a wrong password and a missing one are told at start; an ACL user gets in",
  async (path) => {
    const acl = ["--requirepass", "root-pw", "--user", "app", "on", ">app-pw", "~app:*", "+@all"];
    await using server = await startRedis(path, { args: acl });
    const at = (login: string) => `redis://${login}127.0.0.1:${server.port}/0`;
    const refused = (error: unknown) => error instanceof UserError && !/-pw|wrong-/.test(error.message);

    await assert.rejects(openRedis({ url: at("app:wrong-word@"), keyPrefix: "app:" }, silentLog), refused);
    await assert.rejects(openRedis({ url: at(""), keyPrefix: "app:" }, silentLog), refused);
    await using store = await openRedis({ url: at("app:app-pw@"), keyPrefix: "app:" }, silentLog);
    await store.put(["a"], 1, 60_000);
    assert.equal(await store.add(["n"], 2, 60_000), 2);
  },
);

testWithService(
  "redis",
  "redis: over TLS a server of a private authority is trusted only when that is named",
  async (path) => {
    const port = unusedPort();
    const certificate = ["--tls-cert-file", tlsFiles.serverCert, "--tls-key-file", tlsFiles.serverKey];
    const tls = ["--tls-port", `${port}`, ...certificate, "--tls-auth-clients", "no"];
    await using _server = await startRedis(path, {
      args: [...tls, "--user", "app", "on", ">app-pw", "~*", "+@all"],
    });
    const url = `rediss://app:app-pw@localhost:${port}/0`;
    const caCerts = [await Deno.readTextFile(tlsFiles.ca)];

    await using store = await openRedis({ url, keyPrefix: "tls:", caCerts }, silentLog);
    await store.put(["a"], 1, 60_000);
    assert.equal((await store.get(["a"]))?.value, 1);
    const { log, causes } = watched();
    await using stranger = await openRedis({ url, keyPrefix: "tls:" }, log);
    await assert.rejects(stranger.ping(), StoreUnavailable);
    assert.match(causes.join(), /certificate|issuer/i);
  },
);
