/** Reads what the upstream answers with: one JSON text, or a stream of events, each with a message. */
import { type ByteStream, isStream } from "../base/byte_stream.ts";
import { discard, headerOf, type UpstreamResponse } from "../upstream/upstream.ts";
import { joinBytes } from "../base/join_bytes.ts";
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
  /** As in `Scan`. */
  readonly hasLineBreaks: boolean;
}

/**
 * Takes a message; the stream is read on when it has been taken. From then on nobody may look at its parts: their
 * memory is used again.
 */
export type Receive = (message: Incoming) => Promise<void>;

/** The media type of an answer without its parameters. */
export function mediaType({ headers }: UpstreamResponse): string {
  return (headerOf(headers, "content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
}

/** Whether the upstream says that it went well. */
export function isOk({ status }: UpstreamResponse): boolean {
  return status >= 200 && status < 300;
}

/** An upstream that never comes to an end is not listened to until the memory is full. */
const maxMessageBytes = 512 * 1024 * 1024;

function tooLong(): Unanswered {
  return new Unanswered(codes.tooLong, `The upstream's message is longer than ${maxMessageBytes} bytes`);
}

/** The message in a JSON body; `undefined` when it is empty. @throws Unanswered when it is anything else. */
export function readJson(
  response: UpstreamResponse,
  watchdog: () => Watchdog,
): Incoming | undefined | Promise<Incoming | undefined> {
  const { body } = response;
  if (isStream(body)) return readLargeJson(response, watched(body, watchdog()));
  const scanner = new MessageScanner();
  if (body !== null) scanner.push(body);
  return incoming(response, scanner, body === null ? [] : [body]);
}

async function readLargeJson(
  response: UpstreamResponse,
  body: AsyncIterable<Uint8Array>,
): Promise<Incoming | undefined> {
  const scanner = new MessageScanner();
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body) {
    bytes += part.length;
    if (bytes > maxMessageBytes) throw tooLong();
    scanner.push(part);
    parts.push(part);
  }
  return incoming(response, scanner, parts);
}

function incoming(
  response: UpstreamResponse,
  scanner: MessageScanner,
  parts: readonly Uint8Array[],
): Incoming | undefined {
  if (parts.every((part) => part.length === 0)) return undefined;
  const { valid, heads, batch, hasLineBreaks } = scanner.end();
  if (!valid || !areMessages(heads)) throw notJsonRpc(response);
  return { parts, heads, batch, hasLineBreaks };
}

/** The body as a stream, however it came. */
export function streamed(body: UpstreamResponse["body"]): ByteStream {
  return isStream(body) ? body : ReadableStream.from(body === null ? [] : [body]);
}

const maxTextBytes = 64 * 1024;

/** The body as text; nothing of one that is long or breaks off. */
export async function smallText(response: UpstreamResponse): Promise<string> {
  const { body } = response;
  if (body instanceof Uint8Array) return new TextDecoder().decode(body);
  const parts: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const part of body ?? []) {
      bytes += part.length;
      // Leaving the loop cancels the stream.
      if (bytes > maxTextBytes) return "";
      parts.push(part);
    }
  } catch {
    return "";
  }
  return new TextDecoder().decode(joinBytes(parts));
}

/** Hands on the messages of an event stream until it ends or breaks; what is no message is left out. */
export async function readEventStream(
  { body }: UpstreamResponse,
  receive: Receive,
  hints: StreamHints,
  watchdog: Watchdog,
): Promise<void> {
  const reader = new EventReader();
  for await (const piece of watched(streamed(body), watchdog)) {
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
  const scan = scanner.end();
  return scan.valid && areMessages(scan.heads) ? { parts: data, ...scan } : undefined;
}

function areMessages(heads: readonly Head[]): boolean {
  return heads.length > 0 && heads.every(isMessage);
}

/** The answer is no JSON-RPC. */
export function notJsonRpc(response: UpstreamResponse): Unanswered {
  const type = mediaType(response) || "no content type";
  return new Unanswered(
    codes.badAnswer,
    `The upstream's answer is not JSON-RPC (HTTP ${response.status}, ${type})`,
    { hint: "Check that the address is that of an MCP endpoint", httpStatus: response.status },
  );
}

/** An answer that is not 2xx and carries no JSON-RPC; lets go of the body. */
export async function httpError(response: UpstreamResponse): Promise<Unanswered> {
  const { status } = response;
  await discard(response);
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
    `The upstream answered HTTP ${status}`,
    { hint, httpStatus: status },
  );
}
