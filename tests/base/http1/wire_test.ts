import assert from "node:assert/strict";
import { Wire } from "../../../lib/base/http1/wire.ts";

/** A wire and the other side of it. */
async function wired() {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [there, here] = await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
    listener.accept(),
  ]);
  const wire = new Wire(here);
  return {
    wire,
    there,
    async fill(text: string) {
      await there.write(new TextEncoder().encode(text));
      for (const until = wire.end - wire.start + text.length; wire.end - wire.start < until;) {
        await wire.fill();
      }
    },
    [Symbol.dispose]() {
      wire.close();
      there.close();
    },
  };
}

function unread({ buffer, start, end }: Wire): string {
  return new TextDecoder().decode(buffer.subarray(start, end));
}

Deno.test("a buffer that grew for a large message goes once it is used, and whoever looks at it keeps what is in it", async () => {
  using pair = await wired();
  const { wire } = pair;
  const small = wire.buffer.length;
  await pair.fill("a".repeat(50_000));
  const view = wire.buffer.subarray(wire.start, wire.end);
  assert.ok(wire.buffer.length >= 50_000);

  wire.slim();
  assert.equal(unread(wire), "a".repeat(50_000));

  wire.start = wire.end;
  wire.slim();
  assert.equal(wire.buffer.length, small);
  await pair.fill("b".repeat(small));
  assert.equal(new TextDecoder().decode(view), "a".repeat(50_000));
  assert.equal(unread(wire), "b".repeat(small));
});

Deno.test("what is pinned stays where it is while more comes, and is read over once it is not", async () => {
  using pair = await wired();
  const { wire } = pair;
  await pair.fill("first");
  const view = wire.buffer.subarray(wire.start, wire.end);
  wire.start = wire.end;

  wire.pinned = true;
  await pair.fill("second");
  assert.equal(new TextDecoder().decode(view), "first");

  wire.start = wire.end;
  wire.pinned = false;
  await pair.fill("third");
  assert.equal(new TextDecoder().decode(view), "third");
});

Deno.test("all who ask for more at once get the same, and the end", async () => {
  using pair = await wired();
  const { wire } = pair;
  const asked = [wire.fill(), wire.fill()];
  await pair.there.write(new TextEncoder().encode("x"));
  assert.deepEqual(await Promise.all(asked), [true, true]);
  assert.equal(unread(wire), "x");

  await pair.there.closeWrite();
  assert.deepEqual(await Promise.all([wire.fill(), wire.fill()]), [false, false]);
  assert.equal(wire.dead, true);
});

Deno.test("a write that waits for the other side can be told from one that is done", async () => {
  using pair = await wired();
  const { wire } = pair;
  await wire.write(new Uint8Array(10));
  assert.equal(wire.writes % 2, 0);

  const large = new Uint8Array(50_000_000);
  const writing = wire.write(large);
  let before = -1;
  while (before !== wire.writes) {
    before = wire.writes;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.equal(wire.writes % 2, 1);

  let got = 0;
  const buffer = new Uint8Array(1_000_000);
  while (got < large.length + 10) got += await pair.there.read(buffer) ?? 0;
  await writing;
  assert.equal(wire.writes % 2, 0);
});
