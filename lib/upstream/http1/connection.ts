/**
 * One connection to the upstream. A read is always pending, also while it is idle: so a connection that the upstream
 * closes is known to be dead before it is used again, and bytes that nobody asked for end it instead of becoming
 * somebody's answer.
 */
import { broken, type Head, headEnd, maxHeadBytes, parseHead } from "./head.ts";

/** Where reading begins; grows while the upstream sends more than fits, so that an idle stream holds little memory. */
const firstBufferBytes = 4_096;
const maxBufferBytes = 65_536;

/** Bytes that came and were not used yet: `buffer` from `start` to `end`. */
export class Connection {
  buffer = new Uint8Array(firstBufferBytes);
  start = 0;
  end = 0;
  /** The upstream closed it, or it broke. */
  dead = false;
  /** When it became idle, and how long the upstream said to keep it; milliseconds. */
  idleSinceMs = 0;
  idleMs: number | undefined;
  #pending: Promise<number | null> | undefined;
  #watched = false;
  #closed = false;

  constructor(private readonly conn: Deno.Conn) {}

  /** Watches the idle connection; `onEnd` is called when it cannot be used any more. */
  idle(onEnd: () => void): void {
    if (this.buffer.length > firstBufferBytes) this.buffer = new Uint8Array(firstBufferBytes);
    this.start = this.end = 0;
    this.#watched = true;
    const ended = () => {
      if (!this.#watched) return;
      this.dead = true;
      onEnd();
    };
    this.#read().then(ended, ended);
  }

  /** The connection is used again: what comes from now on is an answer. */
  begin(): void {
    this.#watched = false;
  }

  async write(bytes: Uint8Array): Promise<void> {
    let at = await this.conn.write(bytes);
    while (at < bytes.length) at += await this.conn.write(bytes.subarray(at));
  }

  #read(): Promise<number | null> {
    this.#pending ??= this.conn.read(this.buffer.subarray(this.end));
    return this.#pending;
  }

  /** Reads more; false at the end of the connection. */
  async fill(): Promise<boolean> {
    this.#makeRoom();
    const count = await this.#read();
    this.#pending = undefined;
    if (count === null) {
      this.dead = true;
      return false;
    }
    this.end += count;
    return true;
  }

  /** Up to `target.length` bytes, from the buffer or else from the network; 0 at the end of the connection. */
  async readInto(target: Uint8Array): Promise<number> {
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

  #makeRoom(): void {
    if (this.#pending !== undefined) return;
    if (this.start === this.end) this.start = this.end = 0;
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

  /** The next response's head, past interim ones; `undefined` when more bytes are needed. */
  head(method: string): Head | undefined {
    for (;;) {
      const end = headEnd(this.buffer, this.start, this.end);
      if ((end >= 0 ? end : this.end) - this.start > maxHeadBytes) throw broken("a head that does not end");
      if (end < 0) return undefined;
      const head = parseHead(this.buffer.subarray(this.start, end), method);
      this.start = end;
      if (head.status >= 200) return head;
      if (head.status === 101) throw broken("a switch of protocols");
    }
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
