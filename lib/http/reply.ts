/** An answer before it is written: cheaper to make than the runtime's `Response`, which only one of the listeners needs. */
import { asReadable, type ByteStream, isStream } from "../base/byte_stream.ts";
import type { HeaderList } from "../upstream/upstream.ts";

/** An answer. */
export class Reply {
  constructor(
    readonly status: number,
    /** Names in lower case; those about the connection are the listener's, but for `connection: close`. */
    readonly headers: HeaderList,
    readonly body: Uint8Array<ArrayBuffer> | ByteStream | null,
  ) {}
}

/** The same of an answer that a framework made; its body stays a stream. */
export function replyOf(response: Response): Reply {
  const headers: HeaderList = [];
  response.headers.forEach((value, name) => headers.push([name, value]));
  return new Reply(response.status, headers, response.body);
}

/** The same for the runtime. */
export function responseOf({ status, headers, body }: Reply): Response {
  if (isStream(body)) return new Response(asReadable(body), { status, headers });
  const named = headers.some(([name]) => name === "content-type");
  return new Response(named && body !== null ? asText(body) : body, { status, headers });
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The same bytes as a text where they are one: the runtime copies bytes into memory of its own, which costs more than a
 * text. Without a `Content-Type` a text would get one.
 */
function asText(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | string {
  try {
    return strict.decode(bytes);
  } catch {
    return bytes;
  }
}
