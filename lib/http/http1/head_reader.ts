import { headEnd, maxHeadBytes } from "../../base/http1/fields.ts";
import type { Wire } from "../../base/http1/wire.ts";
import { BadHead, parseRequestHead, type RequestHead } from "./request_head.ts";

/** Takes one head after the other from what has come on a connection. */
export class HeadReader {
  /** Bytes of the next head that were looked through for its end. */
  #scanned = 0;

  constructor(private readonly wire: Wire) {}

  /** The next head; `undefined` where more has to come. @throws BadHead */
  next(): RequestHead | undefined {
    this.skipLineEnds();
    const { wire } = this;
    // The last two bytes may be the beginning of a head's end.
    const end = headEnd(wire.buffer, wire.start + Math.max(0, this.#scanned - 2), wire.end);
    this.#scanned = wire.end - wire.start;
    if ((end >= 0 ? end : wire.end) - wire.start > maxHeadBytes) throw this.#tooLong();
    if (end < 0) return undefined;
    const head = parseRequestHead(wire.buffer.subarray(wire.start, end));
    wire.start = end;
    this.#scanned = 0;
    return head;
  }

  /** A line end too many after a body is overlooked (RFC 9112 section 2.2). */
  skipLineEnds(): void {
    const { wire } = this;
    while (
      wire.end - wire.start >= 2 && wire.buffer[wire.start] === 0x0d && wire.buffer[wire.start + 1] === 0x0a
    ) {
      wire.start += 2;
    }
  }

  #tooLong(): BadHead {
    const { buffer, start, end } = this.wire;
    const feed = buffer.indexOf(0x0a, start);
    const lineEnds = feed >= 0 && feed < Math.min(end, start + maxHeadBytes);
    return lineEnds
      ? new BadHead(431, "a head that is too long")
      : new BadHead(414, "a request line that is too long");
  }
}
