import { crc32 } from "node:zlib";
import { joinBytes } from "../../lib/base/join_bytes.ts";

/** A ZIP file (APPNOTE 6.3, no encryption, no ZIP64) of deflated files with a fixed date. */
export function zip(
  files: readonly { name: string; bytes: Uint8Array }[],
  deflate: (bytes: Uint8Array) => Uint8Array,
): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const { name, bytes } of files) {
    const packed = deflate(bytes);
    const path = new TextEncoder().encode(name);
    const common = record((field) => {
      field.u16(20); // version needed
      field.u16(0x0800); // names in UTF-8
      field.u16(8); // deflate
      field.u16(0);
      field.u16(0x21); // 1980-01-01 00:00
      field.u32(crc32(bytes));
      field.u32(packed.length);
      field.u32(bytes.length);
      field.u16(path.length);
      field.u16(0);
    });
    const local = joinBytes([record((field) => field.u32(0x04034b50)), common, path, packed]);
    directory.push(joinBytes([
      record((field) => {
        field.u32(0x02014b50);
        field.u16(0x0314); // made on Unix, so that the mode below counts
      }),
      common,
      record((field) => {
        field.u16(0);
        field.u16(0);
        field.u16(0);
        field.u32(0o100755 * 0x10000);
        field.u32(offset);
      }),
      path,
    ]));
    parts.push(local);
    offset += local.length;
  }
  const index = joinBytes(directory);
  const end = record((field) => {
    field.u32(0x06054b50);
    field.u16(0);
    field.u16(0);
    field.u16(files.length);
    field.u16(files.length);
    field.u32(index.length);
    field.u32(offset);
    field.u16(0);
  });
  return joinBytes([...parts, index, end]);
}

interface FieldWriter {
  u16(value: number): void;
  u32(value: number): void;
}

/** Little-endian fields, one after another. */
function record(write: (field: FieldWriter) => void): Uint8Array {
  const view = new DataView(new ArrayBuffer(64));
  let at = 0;
  write({
    u16(value) {
      view.setUint16(at, value, true);
      at += 2;
    },
    u32(value) {
      view.setUint32(at, value, true);
      at += 4;
    },
  });
  return new Uint8Array(view.buffer, 0, at);
}
