/** The chunked transfer coding (RFC 9112 section 7.1), decoded piece by piece. Trailers are dropped. */
import { Malformed } from "./fields.ts";

/** A chunk's size line and a trailer are never longer than this; bytes. */
const maxLineBytes = 8_192;

/** Takes encoded bytes as they come and gives the decoded ones, without copying them. */
export class ChunkedDecoder {
  #state: "size" | "data" | "data_end" | "trailer" | "done" = "size";
  /** Bytes of the current chunk that have not come yet. */
  #left = 0;
  /** The current line so far. */
  #line = "";

  /** The last chunk and its trailers have been read. */
  get done(): boolean {
    return this.#state === "done";
  }

  /**
   * Decodes `bytes` from `start` to `end`, handing each stretch of data to `take`, and returns where it stopped:
   * `end`, or less when the body ended before it.
   * @throws Malformed
   */
  decode(bytes: Uint8Array, start: number, end: number, take: (data: Uint8Array) => void): number {
    let at = start;
    while (at < end && this.#state !== "done") {
      if (this.#state === "data") {
        const stop = Math.min(end, at + this.#left);
        take(bytes.subarray(at, stop));
        this.#left -= stop - at;
        at = stop;
        if (this.#left === 0) this.#state = "data_end";
        continue;
      }
      const feed = bytes.indexOf(0x0a, at);
      const stop = feed < 0 || feed >= end ? end : feed + 1;
      for (; at < stop; at++) this.#line += String.fromCharCode(bytes[at] ?? 0);
      if (this.#line.length > maxLineBytes) throw new Malformed("a chunk size that does not end");
      if (this.#line.endsWith("\n")) this.#endLine();
    }
    return at;
  }

  #endLine(): void {
    if (!this.#line.endsWith("\r\n")) throw new Malformed("a chunk line without CR");
    const line = this.#line.slice(0, -2);
    this.#line = "";
    if (this.#state === "data_end") {
      if (line !== "") throw new Malformed("a chunk longer than its size");
      this.#state = "size";
    } else if (this.#state === "trailer") {
      if (line === "") this.#state = "done";
    } else {
      const size = /^([0-9A-Fa-f]{1,12})(?:[ \t]*;.*)?$/.exec(line)?.[1];
      if (size === undefined) throw new Malformed("a malformed chunk size");
      this.#left = Number.parseInt(size, 16);
      this.#state = this.#left === 0 ? "trailer" : "data";
    }
  }
}
