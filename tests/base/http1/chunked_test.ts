import assert from "node:assert/strict";
import fc from "fast-check";
import { ChunkedDecoder } from "../../../lib/base/http1/chunked.ts";
import { chunkBytes } from "../../../lib/base/http1/bytes.ts";

function concat(pieces: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(pieces.flatMap((piece) => [...piece]));
}

Deno.test("ChunkedDecoder gives back any body, wherever its encoding is cut", () => {
  fc.assert(fc.property(
    fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 8 }),
    fc.array(fc.nat(200), { maxLength: 10 }),
    (chunks, cuts) => {
      const encoded = concat([...chunks.map((chunk) => chunkBytes(chunk)), chunkBytes(new Uint8Array())]);
      const at = [0, ...cuts.map((cut) => cut % (encoded.length + 1)).sort((a, b) => a - b), encoded.length];
      const decoder = new ChunkedDecoder();
      const got: Uint8Array[] = [];
      for (let piece = 1; piece < at.length; piece++) {
        const [from = 0, to = 0] = [at[piece - 1], at[piece]];
        assert.equal(decoder.decode(encoded, from, to, (data) => got.push(data.slice())), to);
      }
      assert.ok(decoder.done);
      assert.deepEqual(concat(got), concat(chunks));
    },
  ));
});

Deno.test("ChunkedDecoder stops at the end of the body", () => {
  const encoded = new TextEncoder().encode("1\r\na\r\n0\r\n\r\nHTTP/1.1 200 OK");
  const decoder = new ChunkedDecoder();

  const stopped = decoder.decode(encoded, 0, encoded.length, () => {});

  assert.equal(new TextDecoder().decode(encoded.subarray(stopped)), "HTTP/1.1 200 OK");
  assert.ok(decoder.done);
});

Deno.test("ChunkedDecoder never takes random bytes for more than they are", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
    const decoder = new ChunkedDecoder();
    let taken = 0;
    try {
      decoder.decode(noise, 0, noise.length, (data) => taken += data.length);
    } catch {
      // Refused, as most noise is.
    }
    assert.ok(taken <= noise.length);
  }));
});
