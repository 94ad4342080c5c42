import assert from "node:assert/strict";
import fc from "fast-check";
import { lend, lentBytes, takeBack } from "../../lib/base/lent_memory.ts";

Deno.test("memory that is given back is lent again, by whichever of its parts", () => {
  const first = lend();
  assert.equal(first.length, lentBytes);
  takeBack([first.subarray(10, 20), first.subarray(20)]);
  const second = lend();

  assert.equal(second.buffer, first.buffer);
  assert.equal(second.length, lentBytes);
});

Deno.test("memory that was not lent is not taken", () => {
  const own = new Uint8Array(lentBytes);
  takeBack([own]);
  for (let n = 0; n < 10; n++) assert.notEqual(lend().buffer, own.buffer);
});

Deno.test("nothing is lent to two at a time, however often it is given back, and little is kept", () => {
  const step = fc.record({ give: fc.boolean(), which: fc.nat(), times: fc.integer({ min: 1, max: 3 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const held: Uint8Array[] = [];
      const gone: Uint8Array[] = [];
      for (const { give, which, times } of steps) {
        if (!give || held.length === 0) {
          const memory = lend();
          assert.ok(!held.some(({ buffer }) => buffer === memory.buffer));
          held.push(memory);
          continue;
        }
        const [memory] = held.splice(which % held.length, 1);
        if (memory === undefined) continue;
        gone.push(memory);
        takeBack(Array.from({ length: times }, () => memory.subarray(0, 1)));
      }
      takeBack(held);
      takeBack(held);
      const again = Array.from({ length: 12 }, lend);
      assert.equal(new Set(again.map(({ buffer }) => buffer)).size, 12);
      const known = [...held, ...gone].map(({ buffer }) => buffer);
      assert.ok(again.filter(({ buffer }) => known.includes(buffer)).length <= 6);
    }),
  );
});
