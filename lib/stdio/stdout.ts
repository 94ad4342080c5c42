/**
 * Whole lines to the host. Lines are written one after the other; whoever writes waits until his line has been taken,
 * which is how a slow host slows the upstream down. Small lines that wait together leave in one write.
 */

/** Where bytes go, such as `Deno.stdout`. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<number>;
}

/** Writes messages, each on one line. */
export interface LineWriter {
  /**
   * `parts` are one JSON text, with or without line breaks between its tokens. Resolves when the host has taken it, and
   * also when there is no host any more.
   */
  write(parts: readonly Uint8Array[], hasLineBreaks: boolean): Promise<void>;
  /** Resolves when all lines so far have been taken. */
  flushed(): Promise<void>;
  /** Resolves when the host reads no longer. */
  readonly broken: Promise<void>;
}

interface Waiting {
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
  readonly done: () => void;
}

const newline = new Uint8Array([0x0a]);
/**
 * Bytes are gathered up to here: each write costs a change of threads (a result of 5 MB: 57 ms in writes of 64 KiB, 28
 * in 256 KiB, 26 in 1 MiB, 31 without the pump).
 */
const gatherBytes = 1024 * 1024;
/** Parts from this size on are written as they are: a copy would cost more than it saves. */
const ownWriteBytes = 128 * 1024;

/** A writer of lines to `sink`. */
export function lineWriter(sink: ByteSink): LineWriter {
  const broken = Promise.withResolvers<void>();
  let queue: Waiting[] = [];
  let isBroken = false;
  let isDraining = false;
  let draining = Promise.resolve();

  const writeAll = async (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length;) at += await sink.write(at === 0 ? bytes : bytes.subarray(at));
  };
  const gathered = new Uint8Array(gatherBytes);
  let filled = 0;
  const leave = async () => {
    const bytes = filled;
    filled = 0;
    if (bytes > 0) await writeAll(gathered.subarray(0, bytes));
  };
  const add = async (part: Uint8Array) => {
    if (part.length >= ownWriteBytes || filled + part.length > gatherBytes) await leave();
    if (part.length >= ownWriteBytes) return await writeAll(part);
    gathered.set(part, filled);
    filled += part.length;
  };
  const drain = async () => {
    while (queue.length > 0) {
      let count = 0;
      let bytes = 0;
      do bytes += (queue[count++] as Waiting).bytes; while (
        count < queue.length && bytes + (queue[count] as Waiting).bytes <= gatherBytes
      );
      const batch = queue.slice(0, count);
      queue = queue.slice(count);
      try {
        if (isBroken) continue;
        for (const line of batch) for (const part of line.parts) await add(part);
        await leave();
      } catch {
        isBroken = true;
        broken.resolve();
      } finally {
        for (const line of batch) line.done();
      }
    }
    isDraining = false;
  };
  return {
    write(parts, hasLineBreaks) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const line = [...hasLineBreaks ? parts.map(onOneLine) : inFewPieces(parts), newline];
      const bytes = line.reduce((sum, part) => sum + part.length, 0);
      queue.push({ parts: line, bytes, done: resolve });
      if (!isDraining) {
        isDraining = true;
        draining = drain();
      }
      return promise;
    },
    async flushed() {
      while (isDraining) await draining;
    },
    broken: broken.promise,
  };
}

/**
 * A JSON text has line breaks only between its tokens (RFC 8259 section 7: inside a string they are escaped), where a
 * space means the same.
 */
function onOneLine(part: Uint8Array): Uint8Array {
  return part.map((byte) => byte === 0x0a || byte === 0x0d ? 0x20 : byte);
}

/** Pieces that lie side by side in memory, as those of a body that was read into one place, are one. */
function inFewPieces(parts: readonly Uint8Array[]): readonly Uint8Array[] {
  if (parts.length < 2) return parts;
  const few: Uint8Array[] = [];
  for (const part of parts) {
    const last = few.at(-1);
    const follows = last?.buffer === part.buffer && last.byteOffset + last.length === part.byteOffset;
    if (!follows) few.push(part);
    else few[few.length - 1] = new Uint8Array(last.buffer, last.byteOffset, last.length + part.length);
  }
  return few;
}
