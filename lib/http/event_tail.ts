/**
 * Where an event stream stands, from the bytes that have passed: whether the next byte begins an event, and, once the
 * upstream is dead, what the client can make of what it has. Nothing is decoded on the way; only the chunk in which the
 * last event began and the last chunk are kept (HTML, server-sent events).
 */

const lf = 0x0a;
const cr = 0x0d;

/** The end of an event stream, as far as it has passed. */
export class EventTail {
  /** The last three bytes; a stream begins as if a blank line had been there. */
  #third = lf;
  #second = lf;
  #first = lf;
  #begun: Uint8Array | undefined;
  #last: Uint8Array | undefined;

  push(chunk: Uint8Array): void {
    this.#begun = this.betweenEvents || this.#begun === undefined ? chunk : this.#begun;
    this.#last = chunk;
    for (let at = Math.max(0, chunk.length - 3); at < chunk.length; at++) {
      this.#third = this.#second;
      this.#second = this.#first;
      this.#first = chunk[at] ?? 0;
    }
  }

  /** Whether a blank line was last; lines end with LF, CR LF or CR, wherever the chunks were cut. */
  get betweenEvents(): boolean {
    if (this.#first === cr) return isBreak(this.#second);
    if (this.#first !== lf) return false;
    return this.#second === lf || (this.#second === cr && isBreak(this.#third));
  }

  /** Whether the last events carried ids. */
  get hasId(): boolean {
    return hasEventId(this.#kept());
  }

  /** What makes of a half event one that nobody listens to, so that another can follow it. */
  get ending(): string {
    if (this.betweenEvents) return "";
    return `${isBreak(this.#first) ? "" : "\n"}event: incomplete\n\n`;
  }

  /** Whether the last event is whole and was the answer to a request, so that the end is only an untidy one. */
  get answered(): boolean {
    if (!this.betweenEvents) return false;
    const text = new TextDecoder().decode(this.#kept()).trimEnd();
    const event = text.split(/\r\n\r\n|\n\n|\r\r/).at(-1) ?? "";
    return isAnswer(event.split(/\r\n|\n|\r/).filter(isData).map((line) => line.slice(5)).join("\n"));
  }

  #kept(): Uint8Array {
    const begun = this.#begun ?? new Uint8Array();
    const last = this.#last ?? begun;
    return begun === last ? begun : concat(begun, last);
  }
}

function isBreak(byte: number): boolean {
  return byte === lf || byte === cr;
}

function concat(one: Uint8Array, two: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + two.length);
  both.set(one);
  both.set(two, one.length);
  return both;
}

function isData(line: string): boolean {
  return line.startsWith("data:");
}

/** Whether a JSON-RPC message, or what was kept of a large one, is an answer. */
function isAnswer(text: string): boolean {
  try {
    const message = JSON.parse(text);
    return "id" in message && ("result" in message || "error" in message);
  } catch {
    return /^\s*\{[^{]*"(result|error)"\s*:/.test(text) && /"id"\s*:/.test(text);
  }
}

/** Whether a line of this chunk starts with `id:`. */
export function hasEventId(chunk: Uint8Array): boolean {
  for (let at = 0; at < chunk.length;) {
    if (chunk[at] === 0x69 && chunk[at + 1] === 0x64 && chunk[at + 2] === 0x3a) return true;
    let next = chunk.indexOf(lf, at);
    if (next < 0) next = chunk.indexOf(cr, at);
    if (next < 0) return false;
    at = next + 1;
  }
  return false;
}
