/**
 * Bytes as they come from the host, cut into lines. A line is handed on as bytes: nothing is decoded. A line over the
 * limit is not kept but still read, so that the request in it can be refused by its own id.
 */
import { joinBytes } from "../base/join_bytes.ts";
import { MessageScanner } from "./message.ts";
import type { Scan } from "./head.ts";

/** One line without its end; `tooLong` when its bytes were dropped. */
export interface Line {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly scan: Scan;
  readonly tooLong: boolean;
}

/** Where bytes come from, such as `Deno.stdin`. */
export interface ByteSource {
  read(into: Uint8Array): Promise<number | null>;
}

const newline = 0x0a;
const readBytes = 64 * 1024;

/** The lines of a source until it ends or fails; blank ones are left out, the last may lack its newline. */
export async function* readLines(source: ByteSource, maxLineBytes: number): AsyncGenerator<Line, void, void> {
  const buffer = new Uint8Array(readBytes);
  let parts: Uint8Array[] = [];
  let length = 0;
  let scanner = new MessageScanner();
  const add = (piece: Uint8Array) => {
    scanner.push(piece);
    length += piece.length;
    if (length > maxLineBytes) parts = [];
    else if (piece.length > 0) parts.push(piece.slice());
  };
  const finish = (): Line | undefined => {
    const line = { bytes: joinBytes(parts), scan: scanner.end(), tooLong: length > maxLineBytes };
    parts = [];
    length = 0;
    scanner = new MessageScanner();
    return line.tooLong || !isBlank(line.bytes) ? line : undefined;
  };
  while (true) {
    const count = await source.read(buffer).catch(() => null);
    if (count === null) break;
    let from = 0;
    for (let to = buffer.indexOf(newline); to !== -1 && to < count; to = buffer.indexOf(newline, from)) {
      add(buffer.subarray(from, to));
      from = to + 1;
      const line = finish();
      if (line !== undefined) yield line;
    }
    add(buffer.subarray(from, count));
  }
  const line = finish();
  if (line !== undefined) yield line;
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}
