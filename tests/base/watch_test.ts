import assert from "node:assert/strict";
import fc from "fast-check";
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

Deno.test("Watch holds exactly what entered and did not leave, in whatever order they come and go", () => {
  fc.assert(fc.property(fc.array(fc.nat(9), { maxLength: 60 }), (steps) => {
    const watch = new Watch<Waiting>(60_000);
    const all = Array.from({ length: 10 }, (_, name) => new Waiting(name));
    const inside = new Set<Waiting>();
    for (const step of steps) {
      const one = all[step];
      if (one === undefined) continue;
      if (inside.delete(one)) watch.leave(one);
      else {
        inside.add(one);
        watch.enter(one);
      }
      // One that is not inside does nothing when it leaves.
      for (const other of all) if (!inside.has(other)) watch.leave(other);
    }
    const names = (set: Iterable<Waiting>) => [...set].map(({ name }) => name).toSorted();
    assert.deepEqual(names(watch.inside), names(inside));
    watch.close();
  }));
});

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
