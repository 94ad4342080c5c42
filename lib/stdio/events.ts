/**
 * Server-sent events from bytes (WHATWG HTML, section 9.2), without decoding the data: what arrives is a JSON message
 * that leaves as the bytes it came in, and a result of 100 MB is neither copied nor made a string of.
 */

/** One event; `data` are the bytes of its data lines with a line feed between them. */
export interface ServerEvent {
  readonly id?: string;
  readonly type?: string;
  readonly data: readonly Uint8Array[];
}

/** What the stream said about itself. */
export interface StreamHints {
  /** The last event id seen; what `Last-Event-ID` carries. */
  lastEventId?: string;
  /** How long to wait before connecting again, in milliseconds. */
  retryMs?: number;
}

const lineFeed = new Uint8Array([0x0a]);
const decoder = new TextDecoder();
/** A byte order mark and the longest field name that means something, with its colon and space. */
const maxPrefixBytes = 10;

/** Cuts a stream into events; fed in pieces of any size. */
export class EventReader {
  readonly hints: StreamHints = {};
  #events: ServerEvent[] = [];
  #data: Uint8Array[] = [];
  #dataBytes = 0;
  #hasData = false;
  #id: string | undefined;
  #type: string | undefined;
  /** Of the line under way: the field, once it is known, and its bytes. */
  #field: string | undefined;
  #line: Uint8Array[] = [];
  #lineBytes = 0;
  #afterReturn = false;
  #atStart = true;

  /** What is kept of the event that has not ended yet. */
  get pendingBytes(): number {
    return this.#field === "" ? this.#dataBytes : this.#dataBytes + this.#lineBytes;
  }

  /** Reads the next piece and returns the events that it completes. The piece is kept: do not reuse its memory. */
  push(bytes: Uint8Array): ServerEvent[] {
    let from = 0;
    let nextReturn = -2;
    while (from < bytes.length) {
      if (this.#afterReturn) {
        this.#afterReturn = false;
        if (bytes[from] === 0x0a) {
          from++;
          continue;
        }
      }
      if (nextReturn !== -1 && nextReturn < from) nextReturn = bytes.indexOf(0x0d, from);
      let end = bytes.indexOf(0x0a, from);
      if (nextReturn !== -1 && (end === -1 || nextReturn < end)) end = nextReturn;
      if (end === -1) {
        this.#add(bytes.subarray(from));
        break;
      }
      if (end > from) this.#add(bytes.subarray(from, end));
      this.#afterReturn = end === nextReturn;
      this.#endLine();
      from = end + 1;
    }
    const events = this.#events;
    if (events.length > 0) this.#events = [];
    return events;
  }

  #add(piece: Uint8Array): void {
    this.#line.push(piece);
    this.#lineBytes += piece.length;
    // Comments may be long and many; they are dropped as they come.
    if (this.#field === undefined && this.#lineBytes > maxPrefixBytes) this.#recognise();
    if (this.#field === "") this.#line = [];
  }

  /** Takes the field's name off the line. */
  #recognise(): void {
    let line = this.#line[0] as Uint8Array;
    for (const piece of this.#line.slice(1)) line = concat(line, piece);
    if (this.#atStart && line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf) line = line.subarray(3);
    this.#atStart = false;
    const colon = line.subarray(0, maxPrefixBytes).indexOf(0x3a);
    const name = decoder.decode(
      colon === -1 ? line.subarray(0, maxPrefixBytes + 1) : line.subarray(0, colon),
    );
    this.#field = name === "data" || name === "event" || name === "id" || name === "retry" ? name : "";
    let start = colon === -1 ? line.length : colon + 1;
    if (line[start] === 0x20) start++;
    this.#line = start < line.length ? [line.subarray(start)] : [];
  }

  #endLine(): void {
    if (this.#lineBytes === 0) return this.#dispatch();
    if (this.#field === undefined) this.#recognise();
    const field = this.#field;
    if (field === "data") {
      if (this.#hasData) this.#data.push(lineFeed);
      for (const piece of this.#line) this.#data.push(piece);
      this.#dataBytes += this.#lineBytes;
      this.#hasData = true;
    } else if (field !== "") {
      const text = decoder.decode(this.#line.reduce(concat, new Uint8Array()));
      if (field === "event") this.#type = text;
      if (field === "id" && !text.includes("\0")) this.#id = text;
      if (field === "retry" && /^\d+$/.test(text)) this.hints.retryMs = Number(text);
    }
    this.#line = [];
    this.#lineBytes = 0;
    this.#field = undefined;
  }

  #dispatch(): void {
    // Only now: an event that was cut off must come again.
    if (this.#id !== undefined) this.hints.lastEventId = this.#id;
    if (this.#hasData) {
      this.#events.push({
        ...(this.#id === undefined ? {} : { id: this.#id }),
        ...(this.#type === undefined ? {} : { type: this.#type }),
        data: this.#data,
      });
    }
    this.#data = [];
    this.#dataBytes = 0;
    this.#hasData = false;
    this.#id = undefined;
    this.#type = undefined;
  }
}

function concat(one: Uint8Array, other: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}
