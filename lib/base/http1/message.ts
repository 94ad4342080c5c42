/** Messages and chunks on their way out: in one write, from memory that is there, where they are small. */
import { joinBytes } from "../join_bytes.ts";
import { chunkBytes, giveBack, headBytes, takeRoom, writeInto } from "./bytes.ts";
import type { Wire } from "./wire.ts";

/** Bodies up to this size are written together with their head. */
const oneWriteBytes = 65_536;

/** Writes a head, and a body that is at hand. */
export async function writeMessage(wire: Wire, text: string, body: Uint8Array | null): Promise<void> {
  const room = takeRoom();
  const length = writeInto(room, text, body);
  if (length !== undefined) await wire.write(room.subarray(0, length));
  giveBack(room);
  if (length !== undefined) return;
  const head = headBytes(text);
  if (body === null || body.length > oneWriteBytes) {
    await wire.write(head);
    if (body !== null) await wire.write(body);
  } else await wire.write(joinBytes([head, body]));
}

const encoder = new TextEncoder();

/** Writes a chunk of a body of unknown length; empty: the last one. */
export async function writeChunk(wire: Wire, data: Uint8Array): Promise<void> {
  const size = `${data.length.toString(16)}\r\n`;
  const length = size.length + data.length + 2;
  const room = takeRoom();
  if (data.length === 0 || length > room.length) {
    giveBack(room);
    return await wire.write(chunkBytes(data));
  }
  encoder.encodeInto(size, room);
  room.set(data, size.length);
  room[length - 2] = 0x0d;
  room[length - 1] = 0x0a;
  await wire.write(room.subarray(0, length));
  giveBack(room);
}
