/**
 * Bytes that come over time. The runtime's streams are what the platform knows; the source here is what a relay needs,
 * at a third of their memory and time: one reader, one read at a time, nothing held back or read ahead.
 */
import { joinBytes } from "./join_bytes.ts";

/** Whoever gets one reads it to its end or cancels it. `ReadableStream` is one. */
export interface ByteStream extends AsyncIterable<Uint8Array> {
  cancel(reason?: unknown): Promise<void>;
}

/** The reading end of a stream. */
export interface ByteReader {
  /** The next bytes; `undefined` at the end, and once it was cancelled. @throws when the stream breaks off */
  read(): Promise<Uint8Array | undefined>;
  cancel(reason?: unknown): Promise<void>;
}

/** A stream that is its own reader. */
export abstract class ByteSource implements ByteStream, ByteReader {
  abstract read(): Promise<Uint8Array | undefined>;
  abstract cancel(reason?: unknown): Promise<void>;

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (let piece = await this.read(); piece !== undefined; piece = await this.read()) yield piece;
    } finally {
      await this.cancel();
    }
  }
}

/** Whether a body comes over time, instead of being at hand or none at all. */
export function isStream<T extends ByteStream>(body: T | Uint8Array | null): body is T {
  return body !== null && !(body instanceof Uint8Array);
}

/** Reads a stream; nobody else may. */
export function readerOf(stream: ByteStream): ByteReader {
  if (stream instanceof ByteSource) return stream;
  return readableReader(stream instanceof ReadableStream ? stream : ReadableStream.from(stream));
}

function readableReader(stream: ReadableStream<Uint8Array>): ByteReader {
  const reader = stream.getReader();
  return {
    async read() {
      const { done, value } = await reader.read();
      return done ? undefined : value;
    },
    cancel: (reason) => reader.cancel(reason),
  };
}

/** The same as a stream of the runtime. */
export function asReadable(stream: ByteStream): ReadableStream<Uint8Array> {
  if (stream instanceof ReadableStream) return stream;
  const reader = readerOf(stream);
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const piece = await reader.read();
      if (piece === undefined) controller.close();
      else controller.enqueue(piece);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

/** All of it. @throws when the stream breaks off */
export async function collected(stream: ByteStream): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(piece);
  return joinBytes(pieces);
}
