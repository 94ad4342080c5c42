/** Reading what somebody else sends, up to a size. */
import { joinBytes } from "./join_bytes.ts";

/** More was sent than is read. */
export class BodyTooLarge extends Error {
  override readonly name = "BodyTooLarge";
  constructor(readonly maxBytes: number) {
    super(`The body is longer than ${maxBytes} bytes`);
  }
}

/**
 * The whole body; the rest is cancelled as soon as it turns out too long. Works on requests and responses.
 * @throws BodyTooLarge
 */
export async function readLimited(
  from: { readonly body: ReadableStream<Uint8Array> | null; readonly headers: Headers },
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const declared = Number(from.headers.get("content-length"));
  if (declared > maxBytes) {
    await from.body?.cancel();
    throw new BodyTooLarge(maxBytes);
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of from.body ?? []) {
    length += chunk.length;
    // Leaving the loop cancels the stream.
    if (length > maxBytes) throw new BodyTooLarge(maxBytes);
    chunks.push(chunk);
  }
  return joinBytes(chunks);
}

/** The whole body as UTF-8 text. @throws BodyTooLarge */
export async function readLimitedText(
  from: { readonly body: ReadableStream<Uint8Array> | null; readonly headers: Headers },
  maxBytes: number,
): Promise<string> {
  return new TextDecoder().decode(await readLimited(from, maxBytes));
}
