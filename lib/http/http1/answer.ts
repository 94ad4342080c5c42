/** Answers that come over time: a write for each piece, at the pace of the client. */
import { headBytes } from "../../base/http1/bytes.ts";
import { writeChunk } from "../../base/http1/message.ts";
import { type ByteStream, readerOf } from "../../base/byte_stream.ts";
import type { Wire } from "../../base/http1/wire.ts";
import type { AnswerHead } from "./response_head.ts";

/** A body that comes over time. */
export interface Outflow {
  /** Everything was written, and the other side knows where it ends. @throws what the connection or the body throws */
  readonly done: Promise<void>;
  /** The client is gone. */
  cancel(reason: Error): void;
}

/** Writes a head at once, and its body as it comes. */
export function writeStream(wire: Wire, head: AnswerHead, body: ByteStream): Outflow {
  const reader = readerOf(body);
  let cancelled = false;
  const cancel = (reason: Error) => {
    if (cancelled) return;
    cancelled = true;
    reader.cancel(reason).catch(() => {});
  };
  const pour = async () => {
    await wire.write(headBytes(head.text));
    let left = head.framing === "length" ? head.length : Infinity;
    while (!cancelled) {
      const value = await reader.read();
      if (value === undefined) break;
      if (value.length === 0) continue;
      left -= value.length;
      if (left < 0) throw new Error("a body longer than announced");
      await (head.framing === "chunked" ? writeChunk(wire, value) : wire.write(value));
    }
    if (cancelled) throw new Error("the client left");
    if (head.framing === "chunked") await writeChunk(wire, new Uint8Array());
    else if (left > 0 && left !== Infinity) throw new Error("a body shorter than announced");
  };
  const done = pour().catch((error: unknown) => {
    cancel(error instanceof Error ? error : new Error(String(error)));
    throw error;
  });
  return { done, cancel };
}
