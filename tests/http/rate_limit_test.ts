import assert from "node:assert/strict";
import { addressKey, addressReader, parseAddress } from "../../lib/http/client_address.ts";
import { Concurrency, openRateLimits } from "../../lib/http/rate_limit.ts";
import { startRedis } from "../support/redis.ts";
import { testWithService } from "../support/services.ts";
import { recorder } from "./recorder.ts";
import { settings, startFront } from "./support.ts";

const trusting = {
  trustedProxies: ["127.0.0.0/8", "10.0.0.0/8", "fd00::/8"],
  header: "x-forwarded-for",
  trustAnyProxy: false,
};

function forwarded(value: string, name = "x-forwarded-for"): Headers {
  return new Headers({ [name]: value });
}

Deno.test("addressReader() takes the right-most hop that is not a proxy of ours, and only from a proxy of ours", () => {
  const read = addressReader(trusting);
  const cases: [peer: string, header: string | undefined, key: string][] = [
    ["203.0.113.9", "6.6.6.6", "203.0.113.9"],
    ["10.1.2.3", "6.6.6.6, 198.51.100.7", "198.51.100.7"],
    ["10.1.2.3", "6.6.6.6, 198.51.100.7, 10.9.9.9,", "198.51.100.7"],
    ["10.1.2.3", "198.51.100.7:4711", "198.51.100.7"],
    ["10.1.2.3", "[2001:db8:1:2:3::4]:99", "2001:db8:1:2::/64"],
    ["10.1.2.3", "6.6.6.6, nonsense", "10.1.2.3"],
    ["10.1.2.3", "10.0.0.1, 10.0.0.2", "10.1.2.3"],
    ["10.1.2.3", undefined, "10.1.2.3"],
    ["::ffff:10.1.2.3", "198.51.100.7", "198.51.100.7"],
    ["fd00::1", "::ffff:198.51.100.7", "198.51.100.7"],
    ["2001:db8:1:2:3:4:5:6", undefined, "2001:db8:1:2::/64"],
  ];
  for (const [peer, header, key] of cases) {
    assert.equal(
      read(peer, header === undefined ? new Headers() : forwarded(header)),
      key,
      `${peer} ${header}`,
    );
  }
});

Deno.test("addressReader() reads the pinned header only, and the left-most entry only in the legacy way", () => {
  const pinned = addressReader({ ...trusting, header: "x-real-ip" });
  assert.equal(pinned("10.1.2.3", forwarded("6.6.6.6")), "10.1.2.3");
  assert.equal(pinned("10.1.2.3", forwarded("6.6.6.6", "x-real-ip")), "6.6.6.6");
  const legacy = addressReader({ trustedProxies: [], header: "x-forwarded-for", trustAnyProxy: true });
  assert.equal(legacy("203.0.113.9", forwarded("6.6.6.6, 7.7.7.7")), "6.6.6.6");
  const both = addressReader({ ...trusting, trustAnyProxy: true });
  assert.equal(both("203.0.113.9", forwarded("6.6.6.6, 7.7.7.7")), "203.0.113.9");
});

Deno.test("parseAddress() reads addresses and nothing else", () => {
  for (
    const bad of [
      "",
      "1.2.3",
      "1.2.3.256",
      "1.2.3.4.5",
      "::1::",
      "12345::",
      "g::",
      "1:2:3:4:5:6:7",
      "localhost",
    ]
  ) {
    assert.equal(parseAddress(bad), undefined, bad);
  }
  assert.equal(addressKey(parseAddress("::ffff:1.2.3.4") ?? new Uint8Array(16)), "1.2.3.4");
  assert.equal(addressKey(parseAddress("2001:db8::1") ?? new Uint8Array(16)), "2001:db8:0:0::/64");
});

Deno.test("a rate lets as many through as it says, per key, and tells the others how long to wait", async () => {
  const rate = await openRateLimits({});
  const limit = rate("test", 3);
  assert.ok(limit !== undefined);

  const taken = [await limit.take("a"), await limit.take("a"), await limit.take("a"), await limit.take("a")];

  assert.deepEqual(taken.slice(0, 3), [undefined, undefined, undefined]);
  assert.ok((taken[3]?.retryAfterSec ?? 0) >= 1 && (taken[3]?.retryAfterSec ?? 99) <= 60);
  assert.equal(await limit.take("b"), undefined);
  assert.equal(rate("off", 0), undefined);
});

Deno.test("calls at once are counted per subject and given back", () => {
  const concurrency = new Concurrency(2);
  assert.ok(concurrency.take("a") && concurrency.take("a"));
  assert.ok(!concurrency.take("a"));
  assert.ok(concurrency.take("b"));
  concurrency.give("a");
  assert.ok(concurrency.take("a"));
  const none = new Concurrency(0);
  assert.ok(Array.from({ length: 100 }, () => none.take("a")).every(Boolean));
});

function limits(more: Partial<typeof settings.limits>) {
  return { limits: { ...settings.limits, enabled: true, ...more } };
}

const bearer = { authorization: "Bearer alice" };

Deno.test("the mount is limited per address before the token is looked at, documents where that is set, health never", async () => {
  const { seen, upstream } = recorder();
  const perMinute = { ...settings.limits.perMinute, mcp: 2, token: 1, discovery: 1 };
  await using front = await startFront({ upstream, settings: limits({ perMinute }) });
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(front.origin + path, init);
    await response.body?.cancel();
    return [response.status, response.headers.get("retry-after") !== null];
  };

  assert.deepEqual(await ask("/mcp"), [401, false]);
  assert.deepEqual(await ask("/mcp"), [401, false]);
  assert.deepEqual(await ask("/mcp", { headers: bearer }), [429, true]);
  assert.deepEqual(await ask("/token", { method: "POST" }), [200, false]);
  assert.deepEqual(await ask("/token", { method: "POST" }), [429, true]);
  for (let at = 0; at < 5; at++) {
    assert.deepEqual(await ask("/healthz"), [200, false]);
    assert.deepEqual(
      await ask("/.well-known/oauth-protected-resource/mcp"),
      at === 0 ? [200, false] : [429, true],
    );
  }

  assert.equal(seen.length, 0);
});

Deno.test("a subject's calls a minute are limited, another's are not", async () => {
  const { seen, upstream } = recorder();
  await using front = await startFront({ upstream, settings: limits({ perSubjectPerMinute: 2 }) });
  const status = async (token: string) => {
    const response = await fetch(front.url, {
      method: "POST",
      body: "{}",
      headers: { authorization: `Bearer ${token}` },
    });
    await response.body?.cancel();
    return response.status;
  };

  assert.deepEqual(
    [await status("alice"), await status("alice"), await status("alice"), await status("bob")],
    [200, 200, 429, 200],
  );
  assert.equal(seen.length, 3);
});

Deno.test("calls at once over the cap get 503 with a time to wait; open streams do not count", async () => {
  const waiting: PromiseWithResolvers<void>[] = [];
  const upstream = async (request: Request) => {
    if (request.method === "GET") {
      return new Response(new ReadableStream(), { headers: { "content-type": "text/event-stream" } });
    }
    const wait = Promise.withResolvers<void>();
    waiting.push(wait);
    await wait.promise;
    return Response.json({});
  };
  await using front = await startFront({ upstream, settings: limits({ perSubjectConcurrency: 2 }) });
  const post = () => fetch(front.url, { method: "POST", body: "{}", headers: bearer });
  const streams = await Promise.all([1, 2, 3].map(() => fetch(front.url, { headers: bearer })));
  assert.deepEqual(streams.map(({ status }) => status), [200, 200, 200]);

  const running = [post(), post()];
  while (waiting.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  const refused = await post();
  assert.equal(refused.status, 503);
  assert.equal(refused.headers.get("retry-after"), "1");
  await refused.body?.cancel();

  waiting.forEach((wait) => wait.resolve());
  for (const response of await Promise.all(running)) assert.equal((await response.text()).length, 2);
  const again = post();
  while (waiting.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
  waiting[2]?.resolve();
  assert.equal((await (await again).text()).length, 2);
  await Promise.all(streams.map((stream) => stream.body?.cancel()));
});

testWithService(
  "redis",
  "replicas on one Redis share their rates, and count alone while it is away",
  async (path) => {
    await using server = await startRedis(path);
    const { Redis } = await import("ioredis");
    const clients = [1, 2].map(() => {
      const client = new Redis(server.url, {
        maxRetriesPerRequest: 0,
        enableOfflineQueue: false,
        lazyConnect: true,
      });
      client.on("error", () => {});
      return client;
    });
    await Promise.all(clients.map((client) => client.connect()));
    const [one, two] = await Promise.all(
      clients.map(async (redis) => (await openRateLimits({ redis, keyPrefix: "t:" }))("mcp", 2)),
    );
    assert.ok(one !== undefined && two !== undefined);

    assert.equal(await one.take("a"), undefined);
    assert.equal(await two.take("a"), undefined);
    assert.notEqual(await one.take("a"), undefined);
    assert.notEqual(await two.take("a"), undefined);

    await server.kill();
    const alone = [await one.take("b"), await one.take("b"), await one.take("b")];
    assert.deepEqual(alone.map((refusal) => refusal === undefined), [true, true, false]);
    clients.forEach((client) => client.disconnect());
  },
);

Deno.test("a limit lets exactly so many requests of an address pass, one after the other or at once", async () => {
  const limits = await openRateLimits({});
  for (const perMinute of [1, 7, 60, 100, 600, 997, 5_000]) {
    const limit = limits(`exact-${perMinute}`, perMinute);
    assert.ok(limit !== undefined);
    const atOnce = Array.from({ length: Math.floor(perMinute / 2) }, () => limit.take("198.51.100.7"));
    const passed = await Promise.all(atOnce);
    assert.deepEqual(passed.filter((refusal) => refusal !== undefined), [], "nobody below the limit");
    for (let more = 0; more < perMinute; more++) passed.push(await limit.take("198.51.100.7"));

    assert.equal(passed.filter((refusal) => refusal === undefined).length, perMinute, String(perMinute));
    assert.equal(await limit.take("198.51.100.8"), undefined, "another address has its own");
  }
});
