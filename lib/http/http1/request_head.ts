/**
 * The head of a request (RFC 9112), read strictly: what two servers could take in two ways is refused, so that nobody
 * hides a request in another one's body.
 */
import type { Framing } from "../../base/http1/body.ts";
import { type Field, fieldReader, headLines, Malformed } from "../../base/http1/fields.ts";

/** A request's head. */
export interface RequestHead {
  readonly method: string;
  /** Scheme, host and target as they came; `localhost` where there was no Host. */
  readonly url: string;
  /** Names in lower case, in the order that they came. */
  readonly fields: readonly Field[];
  readonly framing: Framing;
  /** HTTP/1.0 knows neither chunks nor interim answers. */
  readonly isOld: boolean;
  /** The connection may carry another request afterwards. */
  readonly keepAlive: boolean;
  /** The client waits for a word before it sends the body. */
  readonly expectsContinue: boolean;
}

/** A head that is answered with this status and the end of the connection. */
export class BadHead extends Error {
  override readonly name = "BadHead";
  constructor(readonly status: 400 | 408 | 414 | 417 | 431 | 501 | 505, message: string) {
    super(message);
  }
}

const maxFields = 256;

/** The longest request line, in bytes. */
const maxLineBytes = 16_384;

const fieldOf = fieldReader();

/** Reads a whole head. @throws BadHead */
export function parseRequestHead(bytes: Uint8Array): RequestHead {
  const lines = strictly(headLines, bytes);
  const { method, target, isOld } = requestLine(lines[0] ?? "");
  if (lines.length - 1 > maxFields) throw new BadHead(431, "too many headers");
  const fields: Field[] = [];
  let host: string | undefined;
  let length: string | undefined;
  let coding: string | undefined;
  let connection = "";
  let expectsContinue = false;
  for (let at = 1; at < lines.length; at++) {
    const field = strictly(fieldOf, lines[at] ?? "");
    const [name, value] = field;
    fields.push(field);
    switch (name) {
      case "host":
        if (host !== undefined) throw new BadHead(400, "two hosts");
        host = value;
        break;
      case "content-length":
        if (length !== undefined) throw new BadHead(400, "two lengths");
        length = value;
        break;
      case "transfer-encoding":
        if (coding !== undefined) throw new BadHead(400, "two transfer encodings");
        coding = value.toLowerCase();
        break;
      case "connection":
        connection += `,${value.toLowerCase()}`;
        break;
      case "expect":
        if (value.toLowerCase() !== "100-continue") {
          throw new BadHead(417, "an expectation that is not known");
        }
        expectsContinue = !isOld;
    }
  }
  if (host === undefined && !isOld) throw new BadHead(400, "no host");
  const framing = framingOf(length, coding, isOld);
  return {
    method,
    url: urlOf(target, host),
    fields,
    framing,
    isOld,
    keepAlive: !isOld && !connection.split(",").some((option) => option.trim() === "close"),
    expectsContinue: expectsContinue && framing !== "none",
  };
}

const lineForm = /^([!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}) ([\x21\x22\x24-\x7e]+) HTTP\/1\.([01])$/;

let lastLine: string | undefined;
let lastParsed = { method: "GET", target: "/", isOld: false };

function requestLine(line: string): typeof lastParsed {
  // It is nearly always the same.
  if (line === lastLine) return lastParsed;
  if (line.length > maxLineBytes) throw new BadHead(414, "a request line that is too long");
  const [, method, target, minor] = lineForm.exec(line) ?? [];
  if (method === undefined || target === undefined) {
    throw / HTTP\/(?:[02-9]|1\.[2-9])/.test(line)
      ? new BadHead(505, "another version of HTTP")
      : new BadHead(400, "no request line");
  }
  // What follows it is no request any more (RFC 9112 section 3.2.3).
  if (method === "CONNECT") throw new BadHead(501, "a tunnel");
  if (!target.startsWith("/") && !absoluteForm.test(target)) {
    throw new BadHead(400, "a target that is no path");
  }
  lastLine = line;
  return lastParsed = { method, target, isOld: minor === "0" };
}

const absoluteForm = /^https?:\/\/[^/?]/i;

function strictly<From, To>(read: (from: From) => To, from: From): To {
  try {
    return read(from);
  } catch (error) {
    throw error instanceof Malformed ? new BadHead(400, error.message) : error;
  }
}

function urlOf(target: string, host: string | undefined): string {
  return target.startsWith("/") ? `http://${host ?? "localhost"}${target}` : target;
}

/** RFC 9112 section 6.3. */
function framingOf(length: string | undefined, coding: string | undefined, isOld: boolean): Framing {
  if (coding !== undefined) {
    // A server before us may have gone by the other one of the two.
    if (length !== undefined) throw new BadHead(400, "both a length and a transfer encoding");
    if (isOld) throw new BadHead(400, "a transfer encoding in HTTP/1.0");
    if (coding !== "chunked") throw new BadHead(501, "an unknown transfer encoding");
    return "chunked";
  }
  if (length === undefined || length === "0") return "none";
  // A zero before it makes an octal number of it for some.
  if (!/^[1-9]\d{0,14}$/.test(length)) throw new BadHead(400, "a malformed length");
  return Number(length);
}
