/**
 * Reads as much of a JSON-RPC message as carrying it needs, from bytes as they come, and keeps nothing else: the
 * message itself passes as it is. The whole text is checked against the JSON grammar (RFC 8259), so that what is
 * found valid here can be written as a line that every host can parse.
 *
 *   bytes -> MessageScanner.push() ... end() -> Scan { valid, batch, heads }
 */

import * as json from "./json_grammar.ts";
import { joinBytes } from "../base/join_bytes.ts";
import type { Head, Scan } from "./head.ts";
import { plainEnd } from "./plain_text.ts";

/** Reads a message that lies in memory. */
export function scanMessage(...parts: readonly Uint8Array[]): Scan {
  const scanner = new MessageScanner();
  for (const part of parts) scanner.push(part);
  return scanner.end();
}

// Where in the message: 0 is nowhere of interest.
const MESSAGE = 1, PARAMS = 2, META = 3, ERROR = 4;

const OBJECT = 1, ARRAY = 2;

const versionKey = "io.modelcontextprotocol/protocolVersion";
/** A captured text longer than this is of no use to anybody and is not kept. */
const maxCaptureBytes = 1 << 20;
const decoder = new TextDecoder();

type Field = "id" | "method" | "name" | "uri" | "taskId" | "requestId" | "protocolVersion" | "errorCode";

/** By zone; maps, since a member may be called `constructor`. */
const fields: readonly ReadonlyMap<string, Field>[] = [
  new Map(),
  new Map<string, Field>([["id", "id"], ["method", "method"]]),
  new Map<string, Field>([["name", "name"], ["uri", "uri"], ["taskId", "taskId"], [
    "requestId",
    "requestId",
  ]]),
  new Map<string, Field>([[versionKey, "protocolVersion"]]),
  new Map<string, Field>([["code", "errorCode"]]),
];

/** A JSON reader that can be fed in pieces of any size. */
export class MessageScanner {
  #state = json.VALUE;
  /** Kinds of the open containers and where in the message each is. */
  #kinds: number[] = [];
  #zones: number[] = [];
  #batch = false;
  #hasLineBreaks = false;
  #heads: Head[] = [];
  #head: Head | undefined;
  #isKey = false;
  #hexLeft = 0;
  #literal: Uint8Array = json.trueRest;
  #literalAt = 0;
  /** The zone that an object would open, and the field that a scalar would fill, at the value that comes next. */
  #nextZone = MESSAGE;
  #field: Field | undefined;
  #capturing = false;
  #captureStart = 0;
  #captured: Uint8Array[] = [];
  #capturedBytes = 0;

  /** Reads the next piece; it is not kept. */
  push(bytes: Uint8Array): void {
    const length = bytes.length;
    let state = this.#state;
    this.#captureStart = 0;
    for (let at = 0; at < length; at++) {
      let byte = bytes[at] as number;
      if (state === json.STRING) {
        at = plainEnd(bytes, at);
        if (at >= length) break;
        byte = bytes[at] as number;
        if (byte === 0x5c) state = json.ESCAPE;
        else if (byte < 0x20) state = json.BAD;
        else {
          if (this.#capturing) this.#endCapture(bytes, at + 1);
          if (this.#isKey) {
            this.#isKey = false;
            state = json.COLON;
          } else state = this.#afterValue();
        }
        continue;
      }
      if (json.endsNumber(state) && !json.isNumberByte(byte)) {
        if (this.#capturing) this.#endCapture(bytes, at);
        state = this.#afterValue();
      }
      if (state < json.BAD && byte <= 0x20) {
        if (byte === 0x0a || byte === 0x0d) this.#hasLineBreaks = true;
        if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) continue;
      }
      state = this.#step(state, bytes, at);
      if (state === json.BAD) break;
    }
    if (this.#capturing) this.#keep(bytes, length);
    this.#state = state;
  }

  /** There is no more. */
  end(): Scan {
    if (json.endsNumber(this.#state)) this.#state = this.#afterValue();
    const valid = this.#state === json.DONE;
    return { valid, batch: this.#batch, heads: this.#heads, hasLineBreaks: this.#hasLineBreaks };
  }

  #step(state: number, bytes: Uint8Array, at: number): number {
    const byte = bytes[at] as number;
    switch (state) {
      case json.VALUE:
        return this.#startValue(byte, at);
      case json.FIRST_ITEM:
        return byte === 0x5d ? this.#close(ARRAY) : this.#startValue(byte, at);
      case json.FIRST_KEY:
      case json.KEY:
        if (byte === 0x7d && state === json.FIRST_KEY) return this.#close(OBJECT);
        if (byte !== 0x22) return json.BAD;
        this.#isKey = true;
        if ((this.#zones.at(-1) ?? 0) > 0) this.#startCapture(at);
        return json.STRING;
      case json.COLON:
        return byte === 0x3a ? json.VALUE : json.BAD;
      case json.AFTER:
        if (byte === 0x2c) {
          if (this.#kinds.at(-1) === OBJECT) return json.KEY;
          this.#nextZone = this.#batch && this.#kinds.length === 1 ? MESSAGE : 0;
          return json.VALUE;
        }
        return byte === 0x5d ? this.#close(ARRAY) : byte === 0x7d ? this.#close(OBJECT) : json.BAD;
      case json.ESCAPE:
        if (byte === 0x75) {
          this.#hexLeft = 4;
          return json.HEX;
        }
        return json.isEscape(byte) ? json.STRING : json.BAD;
      case json.HEX:
        if (!json.isHex(byte)) return json.BAD;
        return --this.#hexLeft === 0 ? json.STRING : json.HEX;
      case json.LITERAL:
        if (byte !== this.#literal[this.#literalAt++]) return json.BAD;
        if (this.#literalAt < this.#literal.length) return json.LITERAL;
        if (this.#capturing) this.#endCapture(bytes, at + 1);
        return this.#afterValue();
      case json.DONE:
        return json.BAD;
      default:
        return json.numberStep(state, byte);
    }
  }

  #startValue(byte: number, at: number): number {
    if (byte === 0x7b) return this.#open(OBJECT);
    if (byte === 0x5b) return this.#open(ARRAY);
    if (this.#field !== undefined) this.#startCapture(at);
    switch (byte) {
      case 0x22:
        return json.STRING;
      case 0x2d:
        return json.MINUS;
      case 0x30:
        return json.ZERO;
      case 0x74:
        return this.#startLiteral(json.trueRest);
      case 0x66:
        return this.#startLiteral(json.falseRest);
      case 0x6e:
        return this.#startLiteral(json.nullRest);
      default:
        return byte >= 0x31 && byte <= 0x39 ? json.INT : json.BAD;
    }
  }

  #startLiteral(rest: Uint8Array): number {
    this.#literal = rest;
    this.#literalAt = 0;
    return json.LITERAL;
  }

  #open(kind: number): number {
    const depth = this.#kinds.length;
    this.#kinds.push(kind);
    this.#field = undefined;
    if (kind === ARRAY) {
      this.#batch ||= depth === 0;
      this.#zones.push(0);
      this.#nextZone = depth === 0 ? MESSAGE : 0;
      return json.FIRST_ITEM;
    }
    this.#zones.push(this.#nextZone);
    if (this.#nextZone === MESSAGE) this.#heads.push(this.#head = {});
    this.#nextZone = 0;
    return json.FIRST_KEY;
  }

  #close(kind: number): number {
    if (this.#kinds.pop() !== kind) return json.BAD;
    this.#zones.pop();
    return this.#afterValue();
  }

  #afterValue(): number {
    this.#field = undefined;
    this.#nextZone = 0;
    return this.#kinds.length === 0 ? json.DONE : json.AFTER;
  }

  /** A member name of the part of the message that matters: decides what its value is good for. */
  #key(name: string): void {
    const zone = this.#zones.at(-1) ?? 0;
    const head = this.#head as Head;
    this.#field = fields[zone]?.get(name);
    // Of two members with one name the last one counts.
    if (this.#field !== undefined && this.#field in head) delete head[this.#field];
    if (zone === MESSAGE) {
      if (name === "result") head.hasResult = true;
      if (name === "error") {
        head.hasError = true;
        delete head.errorCode;
        this.#nextZone = ERROR;
      }
      if (name === "params") {
        this.#nextZone = PARAMS;
        for (const field of ["name", "uri", "taskId", "requestId", "protocolVersion"] as const) {
          if (field in head) delete head[field];
        }
      }
    } else if (zone === PARAMS && name === "_meta") {
      this.#nextZone = META;
      delete head.protocolVersion;
    }
  }

  #startCapture(at: number): void {
    this.#capturing = true;
    this.#captureStart = at;
  }

  #keep(bytes: Uint8Array, end: number): void {
    this.#capturedBytes += end - this.#captureStart;
    if (this.#capturedBytes <= maxCaptureBytes) this.#captured.push(bytes.slice(this.#captureStart, end));
  }

  #endCapture(bytes: Uint8Array, end: number): void {
    this.#capturing = false;
    let text: string | undefined;
    if (this.#captured.length === 0) {
      const start = this.#captureStart;
      text = shortText(bytes, start, end) ?? decoder.decode(bytes.subarray(start, end));
    } else {
      this.#keep(bytes, end);
      if (this.#capturedBytes <= maxCaptureBytes) text = decoder.decode(joinBytes(this.#captured));
      this.#captured = [];
      this.#capturedBytes = 0;
    }
    if (text === undefined) return;
    if (this.#isKey) this.#key(stringOf(text));
    else this.#fill(text);
  }

  #fill(text: string): void {
    const field = this.#field;
    const head = this.#head;
    if (field === undefined || head === undefined) return;
    if (field === "id" || field === "requestId" || field === "errorCode") head[field] = text;
    else if (text.startsWith('"')) head[field] = stringOf(text);
  }
}

/** The string that a JSON text stands for. */
function stringOf(text: string): string {
  return text.includes("\\") ? JSON.parse(text) : text.slice(1, -1);
}

const maxShortBytes = 48;

/** A short text without the decoder, whose call costs more than all the rest; `undefined` when it is for that. */
function shortText(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end - start > maxShortBytes) return undefined;
  let text = "";
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte > 0x7f) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}
