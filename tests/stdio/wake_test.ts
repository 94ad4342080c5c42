import assert from "node:assert/strict";
import { watchLife } from "../../lib/stdio/life.ts";

Deno.test("a jump of the clock is taken for sleep, small delays are not", async () => {
  let now = 1_000_000;
  let wakes = 0;
  const woken = Promise.withResolvers<void>();
  const clock = { now: () => now, sleep: () => new Promise<void>(() => {}) };
  using _watch = watchLife({
    clock,
    stdoutBroken: new Promise(() => {}),
    onWake: () => {
      wakes++;
      woken.resolve();
    },
  });

  now += 5_000;
  await new Promise((go) => setTimeout(go, 900));
  assert.equal(wakes, 0);
  now += 60_000;
  await woken.promise;

  assert.equal(wakes, 1);
});
