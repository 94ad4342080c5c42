/** The head of an answer (RFC 9112 section 4), and how its body is delimited. */
import { refuseSplitting } from "../../base/http1/bytes.ts";
import { Malformed } from "../../base/http1/fields.ts";
import type { Reply } from "../reply.ts";
import type { RequestHead } from "./request_head.ts";

/** `none`: nothing follows the head; `length`: so many bytes; `close`: until the connection ends. */
export type AnswerFraming = "none" | "length" | "chunked" | "close";

/** A head, ready to be written. */
export interface AnswerHead {
  readonly text: string;
  readonly framing: AnswerFraming;
  /** Bytes of the body, where the head tells them. */
  readonly length: number;
  /** The connection ends with this answer. */
  readonly close: boolean;
}

/** What an answer depends on. */
type Asked = Pick<RequestHead, "method" | "isOld" | "keepAlive">;

/** Names that are about the connection, which only this file writes. */
const ours = new Set(["connection", "keep-alive", "transfer-encoding", "upgrade", "date"]);

/**
 * The head for `reply`; `close` where this is the last answer in any case. @throws Malformed for a value that would
 * change what the head says
 */
export function answerHead(request: Asked, reply: Reply, close: boolean): AnswerHead {
  const { status, body } = reply;
  let text = statusLine(status);
  let lines = 1;
  let declared: number | undefined;
  let last = close || !request.keepAlive;
  for (const [name, value] of reply.headers) {
    if (name === "connection" && value === "close") last = true;
    if (name === "content-length") declared = lengthOf(value);
    else if (!ours.has(name)) {
      text += `${name}: ${value}\r\n`;
      lines++;
    }
  }
  const bodiless = request.method === "HEAD" || status === 204 || status === 304;
  const length = body === null
    ? bodiless ? declared : 0
    : body instanceof Uint8Array
    ? body.length
    : declared;
  let framing: AnswerFraming = bodiless ? "none" : "length";
  if (length !== undefined && status !== 204) {
    text += `content-length: ${length}\r\n`;
    lines++;
  } else if (!bodiless) {
    framing = request.isOld ? "close" : "chunked";
    if (framing === "close") last = true;
    else {
      text += "transfer-encoding: chunked\r\n";
      lines++;
    }
  }
  if (last) {
    text += "connection: close\r\n";
    lines++;
  }
  text += dateLine();
  refuseSplitting(text, lines + 2);
  return { text, framing, length: length ?? 0, close: last };
}

function lengthOf(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw new Malformed("a malformed length");
  return Number(value);
}

const reasons: Readonly<Record<number, string>> = {
  200: "OK",
  201: "Created",
  202: "Accepted",
  204: "No Content",
  206: "Partial Content",
  301: "Moved Permanently",
  302: "Found",
  303: "See Other",
  304: "Not Modified",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  408: "Request Timeout",
  409: "Conflict",
  411: "Length Required",
  413: "Content Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  417: "Expectation Failed",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
};

function statusLine(status: number): string {
  return `HTTP/1.1 ${status} ${reasons[status] ?? ""}\r\n`;
}

let lastSecond = 0;
let lastDate = "";

/** The date and the blank line; told anew once a second. */
function dateLine(): string {
  const second = Math.floor(Date.now() / 1_000);
  if (second !== lastSecond) {
    lastSecond = second;
    lastDate = `date: ${new Date(second * 1_000).toUTCString()}\r\n\r\n`;
  }
  return lastDate;
}
