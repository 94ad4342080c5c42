import assert from "node:assert/strict";
import { asReadable, ByteSource, type ByteStream, collected, readerOf } from "../../lib/base/byte_stream.ts";

const [one, two] = [Uint8Array.of(1), Uint8Array.of(2, 3)];

class Pieces extends ByteSource {
  cancelled = 0;
  constructor(private readonly pieces: (Uint8Array | Error)[]) {
    super();
  }
  read(): Promise<Uint8Array | undefined> {
    const next = this.pieces.shift();
    return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
  }
  cancel(): Promise<void> {
    this.cancelled++;
    return Promise.resolve();
  }
}

const streams: readonly [string, (pieces: (Uint8Array | Error)[]) => ByteStream][] = [
  ["a source", (pieces) => new Pieces(pieces)],
  ["a stream of the runtime", (pieces) => asReadable(new Pieces(pieces))],
  ["another iterable", (pieces) => Object.assign(iterable(pieces), { cancel: () => Promise.resolve() })],
];

async function* iterable(pieces: (Uint8Array | Error)[]) {
  for (const piece of pieces) {
    if (piece instanceof Error) throw piece;
    yield piece;
  }
}

for (const [name, open] of streams) {
  Deno.test(`readerOf() and collected() give every byte of ${name} once, and then its end`, async () => {
    const reader = readerOf(open([one, two]));
    assert.deepEqual([await reader.read(), await reader.read(), await reader.read()], [one, two, undefined]);
    assert.deepEqual(await collected(open([one, two])), Uint8Array.of(1, 2, 3));
    assert.deepEqual(await collected(open([])), new Uint8Array());
  });

  Deno.test(`${name} that breaks off is an error for whoever reads it`, async () => {
    await assert.rejects(collected(open([one, new Error("cut")])), /cut/);
    const reader = readerOf(open([one, new Error("cut")]));
    await reader.read();
    await assert.rejects(reader.read(), /cut/);
  });
}

Deno.test("a source is let go of by a loop that is left, and by a stream that is cancelled", async () => {
  const source = new Pieces([one, two]);
  for await (const _ of source) break;
  assert.equal(source.cancelled, 1);

  const behind = new Pieces([one, two]);
  await asReadable(behind).cancel();
  assert.equal(behind.cancelled, 1);
});

Deno.test("asReadable() reads nothing ahead of who reads it", async () => {
  const pieces = [one, two];
  const stream = asReadable(new Pieces(pieces));
  await Promise.resolve();
  assert.equal(pieces.length, 2);
  await stream.cancel();
});
