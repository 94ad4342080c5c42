/** One connection, and the bytes that came on it and were not used yet. */

/** Where reading begins; grows while more is sent than fits, so that an idle connection holds little memory. */
const firstBufferBytes = 4_096;
const maxBufferBytes = 65_536;
/** Enough to notice that the other side leaves. */
const quietBufferBytes = 64;

/** Bytes that came and were not used yet: `buffer` from `start` to `end`. */
export class Wire {
  buffer: Uint8Array<ArrayBuffer> = new Uint8Array(firstBufferBytes);
  start = 0;
  end = 0;
  /** The other side closed it, or it broke. */
  dead = false;
  /** What was read stays where it is, since somebody still looks at it. */
  pinned = false;
  /** Goes up when a write begins and when it ends: odd while the other side has to take something. */
  writes = 0;
  #reading: Promise<boolean> | undefined;
  #closed = false;

  constructor(readonly conn: Deno.Conn) {}

  /** Reads more into the buffer; false at the end of the connection. All who ask while one read is under way share it. */
  fill(): Promise<boolean> {
    return this.#reading ??= this.#read();
  }

  async #read(): Promise<boolean> {
    try {
      this.#makeRoom();
      const count = await this.conn.read(this.buffer.subarray(this.end));
      if (count === null) {
        this.dead = true;
        return false;
      }
      this.end += count;
      return true;
    } finally {
      this.#reading = undefined;
    }
  }

  /** Up to `target.length` bytes, from the buffer or else from the network; 0 at the end of the connection. */
  async readInto(target: Uint8Array): Promise<number> {
    if (this.start === this.end && this.#reading !== undefined && !await this.#reading) return 0;
    const have = Math.min(target.length, this.end - this.start);
    if (have > 0) {
      target.set(this.buffer.subarray(this.start, this.start + have));
      this.start += have;
      return have;
    }
    const count = await this.conn.read(target);
    if (count === null) this.dead = true;
    return count ?? 0;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      this.writes++;
      at += await this.conn.write(at === 0 ? bytes : bytes.subarray(at));
      this.writes++;
    }
  }

  /** Nothing more will be written; the other side may still write. */
  async endWriting(): Promise<void> {
    if ("closeWrite" in this.conn) await (this.conn as Deno.TcpConn).closeWrite();
  }

  /** Nothing in the buffer is needed any more; one that grew goes. */
  clear(): void {
    this.start = this.end = 0;
    if (this.buffer.length > firstBufferBytes) this.buffer = new Uint8Array(firstBufferBytes);
  }

  /** Lets go of a buffer that grew, where nothing in it is left to be read; whoever still looks at it keeps it. */
  slim(): void {
    if (this.buffer.length > firstBufferBytes) this.#renew(firstBufferBytes);
  }

  /** Lets go of the buffer for as long as the other side has nothing to say. */
  quiet(): void {
    this.#renew(quietBufferBytes);
  }

  #renew(bytes: number): void {
    if (this.#reading !== undefined || this.start !== this.end) return;
    this.buffer = new Uint8Array(bytes);
    this.start = this.end = 0;
  }

  #makeRoom(): void {
    if (this.start === this.end && !this.pinned) this.start = this.end = 0;
    if (this.end < this.buffer.length) return;
    const kept = this.end - this.start;
    const size = Math.min(
      Math.max(this.buffer.length * 4, kept + firstBufferBytes),
      Math.max(maxBufferBytes, kept * 2),
    );
    const bigger = new Uint8Array(size);
    bigger.set(this.buffer.subarray(this.start, this.end));
    this.buffer = bigger;
    this.start = 0;
    this.end = kept;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.dead = true;
    try {
      this.conn.close();
    } catch {
      // Closed by the other side already.
    }
  }
}
