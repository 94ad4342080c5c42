/** Reads what the upstream answers with: one JSON text, or a stream of events, each with a message. */
import { readLimitedText } from "../base/body.ts";
import { EventReader, type StreamHints } from "./events.ts";
import { type Head, isMessage } from "./head.ts";
import { MessageScanner } from "./message.ts";
import { codes, Unanswered } from "./rpc_error.ts";
import { type Watchdog, watched } from "./silence.ts";

/** A message of the upstream, whole and checked to be JSON-RPC. */
export interface Incoming {
  readonly parts: readonly Uint8Array[];
  readonly heads: readonly Head[];
  readonly batch: boolean;
}

/** Takes a message; the stream is read on when it has been taken. */
export type Receive = (message: Incoming) => Promise<void>;

/** The media type of an answer without its parameters. */
export function mediaType(response: Response): string {
  return (response.headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
}

/** An upstream that never comes to an end is not listened to until the memory is full. */
const maxMessageBytes = 512 * 1024 * 1024;

function tooLong(): Unanswered {
  return new Unanswered(codes.tooLong, `The upstream's message is longer than ${maxMessageBytes} bytes`);
}

/** Read in one piece: cheaper than as a stream. */
const smallBytes = 64 * 1024;

/** The message in a JSON body; `undefined` when it is empty. @throws Unanswered when it is anything else. */
export async function readJson(response: Response): Promise<Incoming | undefined> {
  const parts: Uint8Array[] = [];
  const scanner = new MessageScanner();
  let bytes = 0;
  const take = (part: Uint8Array) => {
    bytes += part.length;
    if (bytes > maxMessageBytes) throw tooLong();
    scanner.push(part);
    parts.push(part);
  };
  if (Number(response.headers.get("content-length") ?? Infinity) <= smallBytes) take(await response.bytes());
  else for await (const part of response.body ?? []) take(part);
  if (parts.every((part) => part.length === 0)) return undefined;
  const scan = scanner.end();
  if (!scan.valid || !areMessages(scan.heads)) throw notJsonRpc(response);
  return { parts, heads: scan.heads, batch: scan.batch };
}

/** Hands on the messages of an event stream until it ends or breaks; what is no message is left out. */
export async function readEventStream(
  response: Response,
  receive: Receive,
  hints: StreamHints,
  watchdog: Watchdog,
): Promise<void> {
  const reader = new EventReader();
  for await (const piece of response.body === null ? [] : watched(response.body, watchdog)) {
    if (reader.pendingBytes > maxMessageBytes) throw tooLong();
    for (const event of reader.push(piece)) {
      Object.assign(hints, reader.hints);
      const message = messageOf(event.data);
      if (message !== undefined) await receive(message);
    }
    Object.assign(hints, reader.hints);
  }
}

/** The message that an event carries; priming events carry none. */
export function messageOf(data: readonly Uint8Array[]): Incoming | undefined {
  const scanner = new MessageScanner();
  for (const part of data) scanner.push(part);
  const { valid, heads, batch } = scanner.end();
  return valid && areMessages(heads) ? { parts: data, heads, batch } : undefined;
}

function areMessages(heads: readonly Head[]): boolean {
  return heads.length > 0 && heads.every(isMessage);
}

/** The answer is no JSON-RPC. */
export function notJsonRpc(response: Response): Unanswered {
  const type = mediaType(response) || "no content type";
  return new Unanswered(
    codes.badAnswer,
    `The upstream's answer is not JSON-RPC (HTTP ${response.status}, ${type})`,
    { hint: "Check that the address is that of an MCP endpoint", httpStatus: response.status },
  );
}

/** An answer that is not 2xx and carries no JSON-RPC; takes the body. */
export async function httpError(response: Response): Promise<Unanswered> {
  const { status } = response;
  await readLimitedText(response, 64 * 1024).catch(() => "");
  const refused = status === 401 || status === 403;
  const hint = status === 401
    ? "The upstream does not accept the credentials; log in again with: mcp-doorman login"
    : status === 403
    ? "This account may not do that at the upstream"
    : status === 404
    ? "Check the path of the upstream's address"
    : status === 429 || status >= 500
    ? "The upstream is in trouble; try again later"
    : "Check that the address is that of an MCP endpoint";
  return new Unanswered(
    refused ? codes.refused : codes.badAnswer,
    `The upstream answered HTTP ${status}${response.statusText === "" ? "" : ` ${response.statusText}`}`,
    { hint, httpStatus: status },
  );
}
