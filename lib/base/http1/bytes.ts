/** Heads and chunks as bytes. */
import { Malformed } from "./fields.ts";

const encoder = new TextEncoder();

/** The bytes of a head that `refuseSplitting` let pass; each character is one byte, as fetch has it. */
export function headBytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = encoder.encode(text);
  return bytes.length === text.length ? bytes : singleBytes(text);
}

/**
 * Writes head and body into `room`, which costs less than memory of their own, and returns the length of both;
 * `undefined` where they do not fit or the head is not ASCII.
 */
export function writeInto(room: Uint8Array, text: string, body: Uint8Array | null): number | undefined {
  const length = text.length + (body?.length ?? 0);
  if (length > room.length) return undefined;
  const { read, written } = encoder.encodeInto(text, room);
  if (read !== text.length || written !== text.length) return undefined;
  if (body !== null) room.set(body, text.length);
  return length;
}

/**
 * Every line break of a head must be one that was written on purpose: none came in with a value. Nor did a character
 * that is no byte. @throws Malformed
 */
export function refuseSplitting(text: string, lines: number): void {
  let feeds = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) feeds++;
  let returns = 0;
  for (let at = text.indexOf("\r"); at >= 0; at = text.indexOf("\r", at + 1)) returns++;
  if (feeds !== lines || returns !== lines || text.includes("\0")) {
    throw new Malformed("a header with a line break");
  }
  if (beyondBytes.test(text)) throw new Malformed("a header that is not made of bytes");
}

/** The engine knows of most texts that they have none, without looking. */
const beyondBytes = /[^\0-\xff]/;

function singleBytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/** A chunk of a body of unknown length; empty: the last one. */
export function chunkBytes(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const size = encoder.encode(data.length === 0 ? "0\r\n\r\n" : `${data.length.toString(16)}\r\n`);
  if (data.length === 0) return size;
  const bytes = new Uint8Array(size.length + data.length + 2);
  bytes.set(size);
  bytes.set(data, size.length);
  bytes.set([0x0d, 0x0a], size.length + data.length);
  return bytes;
}

const roomBytes = 16_384;
const maxRooms = 64;
const rooms: Uint8Array[] = [];

/** Memory that small messages are written from, used again and again; `giveBack` it once it is written. */
export function takeRoom(): Uint8Array {
  return rooms.pop() ?? new Uint8Array(roomBytes);
}

/** See `takeRoom`. */
export function giveBack(room: Uint8Array): void {
  if (rooms.length < maxRooms) rooms.push(room);
}
