/** What heads of both directions have in common (RFC 9112), read strictly: what two readers could take in two ways is refused. */

/** Something that is not HTTP as we accept it; the message says what was sent. */
export class Malformed extends Error {
  override readonly name = "Malformed";
}

/** The connection ended in the middle of a message. */
export class CutShort extends Malformed {}

/** A header line: its name in lower case, its value without the space around it. */
export type Field = [name: string, value: string];

/** The longest head that is accepted, in bytes. */
export const maxHeadBytes = 65_536;

/**
 * Where the head ends: the index after its blank line, or -1 when more bytes are needed. A blank line without CR, which
 * others take for one, ends it as well, so that `headLines` refuses it and nobody waits for more.
 */
export function headEnd(bytes: Uint8Array, start: number, end: number): number {
  for (let at = bytes.indexOf(0x0a, start); at >= 0 && at + 1 < end; at = bytes.indexOf(0x0a, at + 1)) {
    if (bytes[at + 1] === 0x0a) return at + 2;
    if (at + 2 < end && bytes[at + 1] === 0x0d && bytes[at + 2] === 0x0a) return at + 3;
  }
  return -1;
}

/** The lines of a whole head. @throws Malformed for one that does not end in CR LF, where `headEnd` saw it end */
export function headLines(bytes: Uint8Array): string[] {
  const lines = textOf(bytes).split("\r\n");
  // The blank line, and what follows it.
  if (lines.pop() !== "" || lines.pop() !== "" || lines.length === 0) {
    throw new Malformed("a line without CR");
  }
  return lines;
}

const utf8 = new TextDecoder();
const stretch = 8_192;

/** Each byte as one character. The decoder for UTF-8 is four times as fast, and right where all is ASCII. */
export function textOf(bytes: Uint8Array): string {
  let text = utf8.decode(bytes);
  if (text.length === bytes.length && !text.includes("\ufffd")) return text;
  // The runtime's "latin1" is windows-1252, which has characters beyond a byte.
  text = "";
  for (let at = 0; at < bytes.length; at += stretch) {
    text += String.fromCharCode(...bytes.subarray(at, at + stretch));
  }
  return text;
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
  const value = withoutSpace(line, colon + 1);
  // For another reader one of them might end the header, or be a space (RFC 9110 section 5.5).
  // deno-lint-ignore no-control-regex
  if (/[\0-\x08\x0a-\x1f\x7f]/.test(value)) throw new Malformed("a control character in a header");
  return [name, value];
}

/** From `start`, without spaces and tabs around it; a trim would take away what is no space in a header. */
function withoutSpace(line: string, start: number): string {
  let end = line.length;
  while (start < end && isSpace(line.charCodeAt(start))) start++;
  while (end > start && isSpace(line.charCodeAt(end - 1))) end--;
  return line.slice(start, end);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
