/** Bodies of both directions: at once where they are small and there, as streams otherwise. */
import { ByteSource } from "../byte_stream.ts";
import { joinBytes } from "../join_bytes.ts";
import { lend, lentBytes } from "../lent_memory.ts";
import { ChunkedDecoder } from "./chunked.ts";
import { CutShort } from "./fields.ts";
import type { Wire } from "./wire.ts";

/** How long a body is: its length, `chunked`, `close` (until the connection ends) or `none`. */
export type Framing = number | "chunked" | "close" | "none";

/** A body of known length up to this many bytes is read whole. */
const smallBytes = 65_536;

/** Called once when the body is over: `true` when it was read to its proper end. */
export type OnBodyEnd = (complete: boolean) => void;

/** A body: whole, a stream, or none. */
export type ReceivedBody = Uint8Array<ArrayBuffer> | ByteSource | null;

/** How a body is read. */
export interface BodyReading {
  /** A small body is waited for; false for event streams. */
  readonly whole: boolean;
  /** Called before a stream asks the connection for more. */
  readonly onPull?: () => void;
  readonly onEnd: OnBodyEnd;
  /** What whoever reads a stream is told when it breaks off. */
  readonly asError: (error: unknown) => unknown;
}

/** A small body, or a stream of any other. @throws Malformed, or what the connection throws */
export function readBody(
  wire: Wire,
  framing: Framing,
  reading: BodyReading,
): ReceivedBody | Promise<ReceivedBody> {
  const { whole, onEnd } = reading;
  if (framing === "none") {
    onEnd(true);
    return null;
  }
  if (typeof framing === "number") {
    return framing <= smallBytes && whole
      ? exactly(wire, framing, onEnd)
      : sizedStream(wire, framing, reading);
  }
  if (framing === "close") return bodyStream(wire, untilClose, reading);
  const decoder = new ChunkedDecoder();
  if (!whole) return bodyStream(wire, chunked(decoder, []), reading);
  // Most chunked answers are there in whole with their head.
  const pieces: Uint8Array[] = [];
  wire.start = decoder.decode(wire.buffer, wire.start, wire.end, (data) => {
    if (data.length > 0) pieces.push(data.slice());
  });
  if (!decoder.done) return bodyStream(wire, chunked(decoder, pieces), reading);
  onEnd(true);
  return joinBytes(pieces);
}

/** At once where it came with the head, as it mostly does. */
function exactly(
  wire: Wire,
  length: number,
  onEnd: OnBodyEnd,
): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
  const { start, end } = wire;
  if (end - start < length) return exactlyLater(wire, length, onEnd);
  const body = wire.buffer.slice(start, start + length);
  wire.start += length;
  onEnd(true);
  return body;
}

async function exactlyLater(
  wire: Wire,
  length: number,
  onEnd: OnBodyEnd,
): Promise<Uint8Array<ArrayBuffer>> {
  const body = new Uint8Array(length);
  let have = 0;
  try {
    for (;;) {
      const count = Math.min(length - have, wire.end - wire.start);
      body.set(wire.buffer.subarray(wire.start, wire.start + count), have);
      wire.start += count;
      have += count;
      if (have === length) break;
      if (!await wire.fill()) throw new CutShort("half a body");
    }
  } catch (error) {
    onEnd(false);
    throw error;
  }
  onEnd(true);
  return body;
}

/** What is in the buffer now that belongs to the body: pieces of it, and whether the body is complete. */
type Taking = (wire: Wire, ended: boolean) => { pieces: Uint8Array[]; done: boolean };

const untilClose: Taking = (wire, ended) => {
  const piece = wire.buffer.slice(wire.start, wire.end);
  wire.start = wire.end;
  return { pieces: piece.length === 0 ? [] : [piece], done: ended };
};

function chunked(decoder: ChunkedDecoder, first: Uint8Array[]): Taking {
  let waiting = first;
  return (wire, ended) => {
    const pieces = waiting;
    waiting = [];
    wire.start = decoder.decode(wire.buffer, wire.start, wire.end, (data) => {
      if (data.length > 0) pieces.push(data.slice());
    });
    if (ended && !decoder.done) throw new CutShort("half a body");
    return { pieces, done: decoder.done };
  };
}

/** A body that is read from the connection as it is asked for. */
class WireBody extends ByteSource {
  #over = false;
  #failure: unknown;

  constructor(
    private readonly reading: BodyReading,
    private readonly next: () => Promise<{ readonly piece: Uint8Array; readonly done: boolean }>,
  ) {
    super();
  }

  async read(): Promise<Uint8Array | undefined> {
    if (this.#failure !== undefined) throw this.#failure;
    while (!this.#over) {
      this.reading.onPull?.();
      try {
        const { piece, done } = await this.next();
        // Whoever cancelled meanwhile wants to hear no more.
        if (this.#over) return undefined;
        if (done) this.#end(true);
        if (piece.length > 0) return piece;
      } catch (error) {
        if (this.#over) return undefined;
        this.#failure = this.reading.asError(error);
        this.#end(false);
        throw this.#failure;
      }
    }
    return undefined;
  }

  cancel(): Promise<void> {
    this.#end(false);
    return Promise.resolve();
  }

  #end(complete: boolean): void {
    if (this.#over) return;
    this.#over = true;
    this.reading.onEnd(complete);
  }
}

function bodyStream(wire: Wire, take: Taking, reading: BodyReading): ByteSource {
  return new WireBody(reading, async () => {
    for (let ended = false;;) {
      const { pieces, done } = take(wire, ended);
      if (done || pieces.length > 0) {
        return { piece: joinBytes(pieces), done };
      }
      ended = !await wire.fill();
    }
  });
}

/** Read directly into memory of its own; that of a large body is lent (`lent_memory.ts`). */
function sizedStream(wire: Wire, length: number, reading: BodyReading): ByteSource {
  let left = length;
  let room = new Uint8Array();
  return new WireBody(reading, async () => {
    if (room.length === 0) room = left < lentBytes ? new Uint8Array(left) : lend();
    const count = await wire.readInto(room);
    if (count === 0) throw new CutShort("half a body");
    const piece = room.subarray(0, count);
    room = room.subarray(count);
    left -= count;
    return { piece, done: left === 0 };
  });
}
