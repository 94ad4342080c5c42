/** The head of an HTTP/1.1 response (RFC 9112), read strictly: what two readers could take in two ways is refused. */
import type { Framing } from "../../base/http1/body.ts";
import { fieldReader, headLines } from "../../base/http1/fields.ts";
import { type HeaderList, UpstreamError } from "../upstream.ts";

/** A response's head. */
export interface Head {
  readonly status: number;
  /** Names in lower case, without those that are about the connection. */
  readonly headers: HeaderList;
  readonly framing: Framing;
  /** The body is a stream of events. */
  readonly isEvents: boolean;
  /** The connection may carry another request afterwards. */
  readonly keepAlive: boolean;
  /** How long the upstream keeps an idle connection, where it says so; milliseconds. */
  readonly idleMs: number | undefined;
}

const connectionHeaders = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Reads a whole head.
 * @throws UpstreamError `broken`
 */
export function parseHead(bytes: Uint8Array, method: string): Head {
  const lines = headLines(bytes);
  const status = statusOf(lines[0] ?? "");
  const headers: HeaderList = [];
  let length: string | undefined;
  let coding: string | undefined;
  let connection = "";
  let isEvents = false;
  let idleMs: number | undefined;
  for (let at = 1; at < lines.length; at++) {
    const field = fieldOf(lines[at] ?? "");
    const [name, value] = field;
    if (name === "content-length") {
      if (length !== undefined && length !== value) throw broken("two lengths");
      length = value;
    } else if (name === "transfer-encoding") {
      if (coding !== undefined) throw broken("two transfer encodings");
      coding = value.toLowerCase();
    } else if (name === "content-type") isEvents = /^text\/event-stream\b/i.test(value);
    else if (name === "connection") connection += `,${value.toLowerCase()}`;
    else if (name === "keep-alive") {
      const seconds = /timeout=(\d{1,6})/i.exec(value)?.[1];
      if (seconds !== undefined) idleMs = Number(seconds) * 1_000;
    }
    if (!connectionHeaders.has(name)) headers.push(field);
  }
  const options = connection === "" ? [] : connection.split(",").map((option) => option.trim());
  const named = options.filter((option) => option !== "" && option !== "keep-alive" && option !== "close");
  return {
    status,
    headers: named.length === 0 ? headers : headers.filter(([name]) => !named.includes(name)),
    framing: framingOf(status, method, length, coding),
    isEvents,
    keepAlive: lines[0]?.startsWith("HTTP/1.1") === true && !options.includes("close"),
    idleMs,
  };
}

function statusOf(line: string): number {
  if (!/^HTTP\/1\.[01] [1-5]\d\d(?: |$)/.test(line)) throw broken("not an HTTP/1.1 answer");
  return Number(line.slice(9, 12));
}

const fieldOf = fieldReader();

/** RFC 9112 section 6.3, without the cases that it allows a client to guess at. */
function framingOf(
  status: number,
  method: string,
  length: string | undefined,
  coding: string | undefined,
): Framing {
  if (coding !== undefined) {
    if (length !== undefined) throw broken("both a length and a transfer encoding");
    if (coding !== "chunked") throw broken("an unknown transfer encoding");
  }
  if (length !== undefined && !/^\d{1,15}$/.test(length)) throw broken("a malformed length");
  if (method === "HEAD" || status < 200 || status === 204 || status === 304) return "none";
  if (coding !== undefined) return "chunked";
  return length === undefined ? "close" : Number(length);
}

/** The upstream said something that is not HTTP as we accept it. */
export function broken(what: string, cause?: unknown): UpstreamError {
  return new UpstreamError("broken", `the upstream sent ${what}`, cause);
}
