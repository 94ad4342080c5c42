import assert from "node:assert/strict";
import { Watch, type Watched } from "../../lib/base/watch.ts";

class Waiting implements Watched {
  looks = 0;
  sinceMs?: number;
  at?: number;
  constructor(readonly name: number, private readonly then: () => void = () => {}) {}
  look(): void {
    this.looks++;
    this.then();
  }
}

Deno.test("Watch looks at each that is inside, and not at one that another took along", async () => {
  const watch = new Watch<Waiting>(1);
  const { promise, resolve } = Promise.withResolvers<void>();
  const taken = new Waiting(3);
  const first = new Waiting(1, () => watch.leave(taken));
  const second = new Waiting(2, resolve);
  for (const one of [first, second, taken]) watch.enter(one);

  await promise;
  watch.close();

  assert.deepEqual([first.looks > 0, second.looks > 0, taken.looks], [true, true, 0]);
});
