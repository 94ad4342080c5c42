import assert from "node:assert/strict";
import { withLease } from "../../lib/store/lease.ts";
import type { Store } from "../../lib/store/store.ts";
import { systemClock } from "../../lib/base/clock.ts";

/** A store under test, empty. */
export interface StoreUnderTest extends AsyncDisposable {
  readonly store: Store;
  /** Lets this much time go by for the store. */
  pass(ms: number): Promise<void>;
}

/** What every `Store` must do; the test file of each implementation calls this once. */
export function storeCases(name: string, open: () => Promise<StoreUnderTest>, ignore = false): void {
  function claim(text: string, test: (under: StoreUnderTest) => Promise<void>): void {
    Deno.test({
      name: `${name}: ${text}`,
      ignore,
      async fn() {
        await using under = await open();
        await test(under);
      },
    });
  }

  claim("what is put is got, with its shape", async ({ store }) => {
    for (
      const value of [
        "text\nof two lines",
        0,
        false,
        null,
        [1, [2]],
        { a: { b: "ü\u0000" } },
        "x".repeat(60_000),
      ]
    ) {
      await store.put(["a", "b"], value, 60_000);
      assert.deepEqual((await store.get(["a", "b"]))?.value, value);
    }
  });

  claim("a key that nobody wrote is absent", async ({ store }) => {
    assert.equal(await store.get(["nothing"]), undefined);
  });

  claim("keys differ by where their parts begin", async ({ store }) => {
    const keys = [["a", "b:c"], ["a:b", "c"], ["a", "b", "c"], ["a:b:c"], ["a%3Ab", "c"], ["A", "b", "c"], [
      "a",
      "",
    ]];
    for (const [at, key] of keys.entries()) await store.put(key, at, 60_000);

    for (const [at, key] of keys.entries()) assert.equal((await store.get(key))?.value, at);
  });

  claim("what has expired is absent for every verb", async ({ store, pass }) => {
    await store.put(["put"], 1, 40);
    await store.putIf(["once"], undefined, 1, 40);
    await store.add(["counter"], 5, 40);
    const version = (await store.get(["put"]))?.version ?? "";
    await pass(41);

    assert.equal(await store.get(["put"]), undefined);
    assert.equal(await store.putIf(["put"], version, 2, 60_000), false);
    assert.equal(await store.deleteIf(["put"], version), false);
    assert.equal(await store.putIf(["once"], undefined, 2, 60_000), true);
    assert.equal(await store.add(["counter"], 1, 60_000), 1);
  });

  claim("put renews the lifetime", async ({ store, pass }) => {
    await store.put(["a"], 1, 40);
    await store.put(["a"], 2, 60_000);
    await pass(41);

    assert.equal((await store.get(["a"]))?.value, 2);
  });

  claim("of several racing first writers exactly one wins", async ({ store }) => {
    const won = await Promise.all([1, 2, 3, 4, 5].map((n) => store.putIf(["used"], undefined, n, 60_000)));

    assert.equal(won.filter(Boolean).length, 1);
    assert.equal((await store.get(["used"]))?.value, won.indexOf(true) + 1);
  });

  claim("of several racing writers that read the same version exactly one wins", async ({ store }) => {
    await store.put(["a"], 0, 60_000);
    const version = (await store.get(["a"]))?.version ?? "";

    const won = await Promise.all([1, 2, 3, 4, 5].map((n) => store.putIf(["a"], version, n, 60_000)));

    assert.equal(won.filter(Boolean).length, 1);
    assert.equal((await store.get(["a"]))?.value, won.indexOf(true) + 1);
  });

  claim("every write changes the version, the same value too", async ({ store }) => {
    await store.put(["a"], 1, 60_000);
    const first = (await store.get(["a"]))?.version ?? "";
    await store.put(["a"], 1, 60_000);

    assert.equal(await store.putIf(["a"], first, 2, 60_000), false);
    assert.equal(await store.deleteIf(["a"], first), false);
  });

  claim("a version does not come back when a key is deleted and written again", async ({ store }) => {
    await store.put(["a"], 1, 60_000);
    const first = (await store.get(["a"]))?.version ?? "";
    await store.delete(["a"]);
    assert.equal(await store.putIf(["a"], first, 2, 60_000), false);
    await store.put(["a"], 1, 60_000);

    assert.equal(await store.putIf(["a"], first, 2, 60_000), false);
  });

  claim("putIf with no version does not overwrite, and deleteIf needs the version", async ({ store }) => {
    await store.put(["a"], 1, 60_000);
    const version = (await store.get(["a"]))?.version ?? "";

    assert.equal(await store.putIf(["a"], undefined, 2, 60_000), false);
    assert.equal(await store.deleteIf(["a"], `${version}x`), false);
    assert.equal(await store.deleteIf(["a"], version.slice(0, -1)), false);
    assert.equal((await store.get(["a"]))?.value, 1);
    assert.equal(await store.deleteIf(["a"], version), true);
    assert.equal(await store.get(["a"]), undefined);
  });

  claim("a delete that lost its race does not take what was written in between", async ({ store }) => {
    for (let run = 0; run < 20; run++) {
      await store.put(["a"], 0, 60_000);
      const version = (await store.get(["a"]))?.version ?? "";

      await Promise.all([store.deleteIf(["a"], version), store.put(["a"], 1, 60_000)]);

      assert.equal((await store.get(["a"]))?.value, 1);
    }
  });

  claim("racing additions are all counted", async ({ store }) => {
    const sums = await Promise.all(Array.from({ length: 20 }, () => store.add(["hits"], 2, 60_000)));

    assert.deepEqual(sums.sort((a, b) => a - b), Array.from({ length: 20 }, (_, at) => (at + 1) * 2));
    assert.equal((await store.get(["hits"]))?.value, 40);
  });

  claim("a counter ends with the life of its first addition", async ({ store, pass }) => {
    await store.add(["hits"], 1, 60);
    await pass(30);
    await store.add(["hits"], 1, 60_000);
    await pass(31);

    assert.equal(await store.get(["hits"]), undefined);
  });

  claim("deleting what is not there is no error", async ({ store }) => {
    await store.delete(["nothing"]);
    await store.ping();
  });

  claim("a lease lets one holder run at a time", async ({ store }) => {
    let inside = 0;
    let most = 0;

    await Promise.all(
      Array.from(
        { length: 5 },
        () =>
          withLease(store, ["lease"], { ttlMs: 30_000, clock: systemClock }, async () => {
            most = Math.max(most, ++inside);
            await store.ping();
            inside--;
          }),
      ),
    );

    assert.equal(most, 1);
  });
}
