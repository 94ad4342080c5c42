/** Response bodies: at once where they are small and there, as streams otherwise. */
import { ChunkedDecoder } from "./chunked.ts";
import type { Connection } from "./connection.ts";
import { broken, type Framing } from "./head.ts";

/** A body of known length up to this many bytes is read whole. */
const smallBytes = 65_536;

/** Called once when the body is over: `true` when it was read to its proper end. */
export type OnBodyEnd = (complete: boolean) => void;

/** A body: whole, a stream, or none. */
export type ReceivedBody = Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null;

/** A small body, or a stream of any other. `whole` is false for event streams, which are never waited for. */
export function readBody(
  connection: Connection,
  framing: Framing,
  whole: boolean,
  onEnd: OnBodyEnd,
): ReceivedBody | Promise<ReceivedBody> {
  if (framing === "none") {
    onEnd(true);
    return null;
  }
  if (typeof framing === "number") {
    return framing <= smallBytes && whole
      ? exactly(connection, framing, onEnd)
      : sizedStream(connection, framing, onEnd);
  }
  if (framing === "close") return bodyStream(connection, untilClose, onEnd);
  const decoder = new ChunkedDecoder();
  if (!whole) return bodyStream(connection, chunked(decoder, []), onEnd);
  // Most chunked answers are there in whole with their head.
  const pieces: Uint8Array[] = [];
  connection.start = decoder.decode(connection.buffer, connection.start, connection.end, (data) => {
    if (data.length > 0) pieces.push(data.slice());
  });
  if (!decoder.done) return bodyStream(connection, chunked(decoder, pieces), onEnd);
  onEnd(true);
  return concat(pieces);
}

/** At once where it came with the head, as it mostly does. */
function exactly(
  connection: Connection,
  length: number,
  onEnd: OnBodyEnd,
): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
  const { start, end } = connection;
  if (end - start < length) return exactlyLater(connection, length, onEnd);
  const body = connection.buffer.slice(start, start + length);
  connection.start += length;
  onEnd(true);
  return body;
}

async function exactlyLater(
  connection: Connection,
  length: number,
  onEnd: OnBodyEnd,
): Promise<Uint8Array<ArrayBuffer>> {
  const body = new Uint8Array(length);
  let have = 0;
  try {
    for (;;) {
      const count = Math.min(length - have, connection.end - connection.start);
      body.set(connection.buffer.subarray(connection.start, connection.start + count), have);
      connection.start += count;
      have += count;
      if (have === length) break;
      if (!await connection.fill()) throw broken("half a body");
    }
  } catch (error) {
    onEnd(false);
    throw error;
  }
  onEnd(true);
  return body;
}

/** What is in the buffer now that belongs to the body: pieces of it, and whether the body is complete. */
type Taking = (connection: Connection, ended: boolean) => { pieces: Uint8Array[]; done: boolean };

const untilClose: Taking = (connection, ended) => {
  const piece = connection.buffer.slice(connection.start, connection.end);
  connection.start = connection.end;
  return { pieces: piece.length === 0 ? [] : [piece], done: ended };
};

function chunked(decoder: ChunkedDecoder, first: Uint8Array[]): Taking {
  let waiting = first;
  return (connection, ended) => {
    const pieces = waiting;
    waiting = [];
    connection.start = decoder.decode(connection.buffer, connection.start, connection.end, (data) => {
      if (data.length > 0) pieces.push(data.slice());
    });
    if (ended && !decoder.done) throw broken("half a body");
    return { pieces, done: decoder.done };
  };
}

function bodyStream(connection: Connection, take: Taking, onEnd: OnBodyEnd): ReadableStream<Uint8Array> {
  return streamOf(onEnd, async () => {
    for (let ended = false;;) {
      const { pieces, done } = take(connection, ended);
      if (done || pieces.length > 0) {
        return { piece: pieces.length === 1 && pieces[0] ? pieces[0] : concat(pieces), done };
      }
      ended = !await connection.fill();
    }
  });
}

/** Memory for a body of known length is asked for in pieces of this size, and read into directly. */
const pieceBytes = 1_048_576;

function sizedStream(connection: Connection, length: number, onEnd: OnBodyEnd): ReadableStream<Uint8Array> {
  let left = length;
  let room = new Uint8Array();
  return streamOf(onEnd, async () => {
    if (room.length === 0) room = new Uint8Array(Math.min(left, pieceBytes));
    const count = await connection.readInto(room);
    if (count === 0) throw broken("half a body");
    const piece = room.subarray(0, count);
    room = room.subarray(count);
    left -= count;
    return { piece, done: left === 0 };
  });
}

/** A stream of what `next` gives until it is done. */
function streamOf(
  onEnd: OnBodyEnd,
  next: () => Promise<{ readonly piece: Uint8Array; readonly done: boolean }>,
): ReadableStream<Uint8Array> {
  let over = false;
  const end = (complete: boolean) => {
    if (over) return;
    over = true;
    onEnd(complete);
  };
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { piece, done } = await next();
        if (over) return;
        if (piece.length > 0) controller.enqueue(piece);
        if (!done) return;
        controller.close();
        end(true);
      } catch (error) {
        if (!over) controller.error(error);
        end(false);
      }
    },
    cancel() {
      end(false);
    },
  }, { highWaterMark: 0 });
}

function concat(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}
