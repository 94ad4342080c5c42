import assert from "node:assert/strict";
import fc from "fast-check";
import { Crowd, type Member } from "../../lib/base/crowd.ts";

Deno.test("Crowd holds exactly what entered and did not leave, in whatever order they come and go", () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(9)), { maxLength: 80 }), (steps) => {
    const crowd = new Crowd<Member & { readonly name: number }>();
    const all = Array.from({ length: 10 }, (_, name): Member & { readonly name: number } => ({ name }));
    const inside = new Set<number>();
    for (const [enters, step] of steps) {
      const one = all[step];
      if (one === undefined) continue;
      if (enters) crowd.enter(one);
      else crowd.leave(one);
      if (enters) inside.add(step);
      else inside.delete(step);
    }
    assert.deepEqual([...crowd].map(({ name }) => name).toSorted(), [...inside].toSorted());
    assert.deepEqual(all.filter((one) => crowd.has(one)).map(({ name }) => name), [...inside].toSorted());
    assert.equal(crowd.size, inside.size);
    crowd.clear();
    assert.deepEqual([[...crowd], crowd.size, all.some((one) => crowd.has(one))], [[], 0, false]);
  }));
});

Deno.test("Crowd does not give a member that left before its turn", () => {
  const [first, second] = [{} as Member, {} as Member];
  const crowd = new Crowd<Member>();
  crowd.enter(first);
  crowd.enter(second);
  const given: Member[] = [];
  for (const member of crowd) {
    given.push(member);
    crowd.leave(second);
  }
  assert.deepEqual(given, [first]);
});
