/** What heads of both directions have in common (RFC 9112), read strictly: what two readers could take in two ways is refused. */

/** Something that is not HTTP as we accept it; the message says what was sent. */
export class Malformed extends Error {
  override readonly name = "Malformed";
}

/** A header line: its name in lower case, its value without the space around it. */
export type Field = [name: string, value: string];

/** The longest head that is accepted, in bytes. */
export const maxHeadBytes = 65_536;

/** Where the head ends: the index after its blank line, or -1 when more bytes are needed. */
export function headEnd(bytes: Uint8Array, start: number, end: number): number {
  for (let at = bytes.indexOf(0x0a, start); at >= 0 && at < end; at = bytes.indexOf(0x0a, at + 1)) {
    if (at + 2 < end && bytes[at + 1] === 0x0d && bytes[at + 2] === 0x0a) return at + 3;
  }
  return -1;
}

const latin1 = new TextDecoder("latin1");
const utf8 = new TextDecoder();

/** Each byte as one character. The decoder for UTF-8 is four times as fast, and right where all is ASCII. */
export function textOf(bytes: Uint8Array): string {
  const text = utf8.decode(bytes);
  return text.length === bytes.length && !text.includes("\ufffd") ? text : latin1.decode(bytes);
}

const maxKnownFields = 256;
const maxKnownLength = 256;

/**
 * Returns what reads header lines. Most lines of a head were in the one before it, so that what was read once is kept
 * for a while. @throws Malformed
 */
export function fieldReader(): (line: string) => Field {
  const known = new Map<string, Field>();
  return (line) => {
    let field = known.get(line);
    if (field === undefined) {
      // Shared, so that nobody may change it.
      field = Object.freeze(readField(line)) as Field;
      if (known.size >= maxKnownFields) known.clear();
      if (line.length <= maxKnownLength) known.set(line, field);
    }
    return field;
  };
}

function readField(line: string): Field {
  const colon = line.indexOf(":");
  const name = line.slice(0, colon).toLowerCase();
  if (colon < 1 || !/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) throw new Malformed("a malformed header");
  const value = line.slice(colon + 1).trim();
  // A bare CR, LF or NUL could end the header for another reader.
  if (/[\r\n\0]/.test(value)) throw new Malformed("a control character in a header");
  return [name, value];
}
