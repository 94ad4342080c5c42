/**
 * Memory for large bodies, used again. To ask the system for 5 MB and to leave them to the garbage collector costs 4 ms
 * of the 10 that a result of that size takes on its way, and 10 MB of memory under load.
 *
 *     lend() -> written into, handed on in parts -> takeBack(parts), by the last who reads them -> lent again
 *
 * Nobody has to give anything back: what is not is collected like any memory. But who does must be sure that nobody
 * reads it any more.
 */

/** How much is lent at once, in bytes. */
export const lentBytes = 1_048_576;

/** Enough for a large result; what is given back beyond it is collected. */
const maxSpare = 6;
const spare: ArrayBuffer[] = [];
/** What is with somebody; memory that is given back twice must not be lent to two. */
const lent = new WeakSet<ArrayBufferLike>();

/** `lentBytes` of memory with anything in it. */
export function lend(): Uint8Array<ArrayBuffer> {
  const memory = spare.pop() ?? new ArrayBuffer(lentBytes);
  lent.add(memory);
  return new Uint8Array(memory);
}

/** Takes back the memory that these are parts of, where it was lent. */
export function takeBack(parts: readonly Uint8Array[]): void {
  for (const { buffer } of parts) {
    if (!lent.delete(buffer) || spare.length >= maxSpare) continue;
    spare.push(buffer as ArrayBuffer);
  }
}
