import { UpstreamError } from "../upstream.ts";

/** What is written for one request. */
export interface RequestHead {
  readonly method: string;
  /** Path and query as they go on the wire. */
  readonly target: string;
  /** The `Host` value. */
  readonly host: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The body's length in bytes, `chunked` for a stream of unknown length, or nothing for no body. */
  readonly length: number | "chunked" | undefined;
}

const encoder = new TextEncoder();

/** The head as text; each character of a header value is one byte, as fetch has it. */
export function headText(head: RequestHead): string {
  let text = `${head.method} ${head.target} HTTP/1.1\r\nhost: ${head.host}\r\n`;
  for (const [name, value] of head.headers) text += `${name}: ${value}\r\n`;
  if (head.length === "chunked") text += "transfer-encoding: chunked\r\n";
  else if (head.length !== undefined) text += `content-length: ${head.length}\r\n`;
  text += "\r\n";
  refuseSplitting(head, text);
  return text;
}

/** The head's bytes. */
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
  if (encoder.encodeInto(text, room).written !== text.length) return undefined;
  if (body !== null) room.set(body, text.length);
  return length;
}

/** Every line break must be one that was written here: none came in with a value. */
function refuseSplitting(head: RequestHead, text: string): void {
  const lines = 3 + head.headers.length + (head.length === undefined ? 0 : 1);
  let breaks = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) breaks++;
  let returns = 0;
  for (let at = text.indexOf("\r"); at >= 0; at = text.indexOf("\r", at + 1)) returns++;
  if (breaks !== lines || returns !== lines || text.includes("\0") || head.target.includes(" ")) {
    throw new UpstreamError("broken", "a header of the request has a line break");
  }
}

function singleBytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0xff) throw new UpstreamError("broken", "a header of the request is not made of bytes");
    bytes[at] = code;
  }
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

/** Both in one piece, so that a small request is one write. */
export function joined(head: Uint8Array, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(head.length + body.length);
  bytes.set(head);
  bytes.set(body, head.length);
  return bytes;
}
