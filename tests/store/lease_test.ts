import assert from "node:assert/strict";
import { withLease } from "../../lib/store/lease.ts";
import { memoryStore } from "../../lib/store/memory.ts";
import { type Store, StoreUnavailable } from "../../lib/store/store.ts";
import { fakeClock } from "../fakes/clock.ts";

const key = ["lease", "grant-1"];

function under() {
  const clock = fakeClock();
  const store = memoryStore(clock);
  return { clock, store, options: { ttlMs: 30_000, clock } };
}

Deno.test("withLease() hands back what the function returns and frees the lease", async () => {
  const { store, options } = under();

  assert.equal(await withLease(store, key, options, () => Promise.resolve(7)), 7);
  assert.equal(await store.get(key), undefined);
});

Deno.test("withLease() frees the lease when the function throws, and throws the same", async () => {
  const { store, options } = under();
  const error = new Error("it failed");

  await assert.rejects(
    withLease(store, key, options, () => Promise.reject(error)),
    (found) => found === error,
  );
  assert.equal(await store.get(key), undefined);
});

Deno.test("withLease() keeps the lease for as long as the function runs", async () => {
  const { clock, store, options } = under();
  const gate = Promise.withResolvers<void>();
  const held = withLease(store, key, options, () => gate.promise);

  await clock.advance(300_000);
  assert.notEqual(await store.get(key), undefined);
  gate.resolve();
  await held;
  assert.equal(await store.get(key), undefined);
  assert.equal(clock.waiting, 0);
});

Deno.test("a waiter gets the lease when the holder is done", async () => {
  const { clock, store, options } = under();
  const gate = Promise.withResolvers<void>();
  const order: string[] = [];
  const first = withLease(store, key, options, async () => {
    await gate.promise;
    order.push("first");
  });
  const second = withLease(store, key, options, () => Promise.resolve(order.push("second")));

  await clock.advance(5_000);
  assert.deepEqual(order, []);
  gate.resolve();
  await first;
  await clock.advance(1_000);
  await second;
  assert.deepEqual(order, ["first", "second"]);
});

Deno.test("the lease of a holder that died passes on when it runs out", async () => {
  const { clock, store, options } = under();
  await store.putIf(key, undefined, "a process that died", options.ttlMs);
  let ran = false;
  const waiting = withLease(store, key, options, () => Promise.resolve(ran = true));

  await clock.advance(29_000);
  assert.equal(ran, false);
  await clock.advance(1_500);
  await waiting;
  assert.equal(ran, true);
});

Deno.test("a holder that lost its lease is told, and does not free what is now another's", async () => {
  const { clock, store, options } = under();
  const told = Promise.withResolvers<void>();
  const held = withLease(store, key, options, async (lease) => {
    lease.signal.addEventListener("abort", () => told.resolve());
    await told.promise;
  });
  await clock.advance(0);
  await store.put(key, "another", 600_000);

  await clock.advance(10_000);
  await held;
  assert.equal((await store.get(key))?.value, "another");
});

Deno.test("a waiter's signal ends the wait", async () => {
  const { clock, store, options } = under();
  await store.put(key, "another", 600_000);
  const stop = new AbortController();
  const waiting = withLease(store, key, { ...options, signal: stop.signal }, () => Promise.resolve());
  const refused = assert.rejects(waiting, (error) => error === stop.signal.reason);

  await clock.advance(1_000);
  stop.abort(new Error("enough"));
  await refused;
  assert.equal(clock.waiting, 0);
});

Deno.test("a store that is lost while waiting for the lease is told", async () => {
  const { options, store } = under();
  const lost: Store = { ...store, putIf: () => Promise.reject(new StoreUnavailable("gone")) };

  await assert.rejects(withLease(lost, key, options, () => Promise.resolve()), StoreUnavailable);
});

Deno.test("a store that is lost for less than the lease's life does not lose the lease", async () => {
  const { clock, store, options } = under();
  let up = true;
  const shaky: Store = {
    ...store,
    get: (of) => up ? store.get(of) : Promise.reject(new StoreUnavailable("gone")),
  };
  const gate = Promise.withResolvers<void>();
  let lost = false;
  const held = withLease(shaky, key, options, async (lease) => {
    lease.signal.addEventListener("abort", () => lost = true);
    await gate.promise;
  });

  up = false;
  await clock.advance(15_000);
  up = true;
  await clock.advance(100_000);
  assert.equal(lost, false);

  up = false;
  await clock.advance(40_000);
  assert.equal(lost, true);
  gate.resolve();
  await held;
});
