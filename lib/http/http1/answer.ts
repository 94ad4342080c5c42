/** Answers on their way out: one write for a small one, a write for each piece of a stream, at the pace of the client. */
import { chunkBytes, giveBack, headBytes, joined, takeRoom, writeInto } from "../../base/http1/bytes.ts";
import { type ByteStream, readerOf } from "../../base/byte_stream.ts";
import type { Wire } from "../../base/http1/wire.ts";
import type { AnswerHead } from "./response_head.ts";

/** Bodies up to this size are written together with their head. */
const oneWriteBytes = 65_536;

/** A head, and a body that is at hand. */
export async function writeWhole(wire: Wire, text: string, body: Uint8Array | null): Promise<void> {
  const room = takeRoom();
  const length = writeInto(room, text, body);
  if (length !== undefined) await wire.write(room.subarray(0, length));
  giveBack(room);
  if (length !== undefined) return;
  const head = headBytes(text);
  if (body === null || body.length > oneWriteBytes) {
    await wire.write(head);
    if (body !== null) await wire.write(body);
  } else await wire.write(joined(head, body));
}

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
    if (head.framing === "chunked") await wire.write(chunkBytes(new Uint8Array()));
    else if (left > 0 && left !== Infinity) throw new Error("a body shorter than announced");
  };
  const done = pour().catch((error: unknown) => {
    cancel(error instanceof Error ? error : new Error(String(error)));
    throw error;
  });
  return { done, cancel };
}

const encoder = new TextEncoder();

/** Size, data and line end in one write where they fit into memory that is there. */
async function writeChunk(wire: Wire, data: Uint8Array): Promise<void> {
  const size = `${data.length.toString(16)}\r\n`;
  const room = takeRoom();
  const length = size.length + data.length + 2;
  if (length <= room.length) {
    encoder.encodeInto(size, room);
    room.set(data, size.length);
    room[length - 2] = 0x0d;
    room[length - 1] = 0x0a;
    await wire.write(room.subarray(0, length));
    giveBack(room);
    return;
  }
  giveBack(room);
  await wire.write(chunkBytes(data));
}
