/** Plain connections to a listener of our own, in a test's hands byte by byte. */
import type { Logger } from "../../../lib/base/log.ts";
import { silentLog } from "../../../lib/base/log.ts";
import type { ListenOptions, ServeHandler } from "../../../lib/http/listening.ts";
import { Reply } from "../../../lib/http/reply.ts";
import { listen } from "../../../lib/http/serve.ts";

/** A listener on a free port. */
export function serveHere(
  handler: ServeHandler,
  { log = silentLog, limits }: { log?: Logger; limits?: ListenOptions["limits"] } = {},
) {
  const server = listen({ hostname: "127.0.0.1", port: 0, ...(limits && { limits }) }, handler, log);
  return {
    port: server.port,
    server,
    async [Symbol.asyncDispose]() {
      await server.drain({ deadlineMs: 5_000 });
    },
  };
}

const lateMs = 8_000;

/** One client's connection. */
export class RawConnection implements Disposable {
  /** All that came so far, each byte a character. */
  got = "";
  #closed = false;
  readonly #buffer = new Uint8Array(65_536);

  private constructor(readonly conn: Deno.TcpConn) {}

  static async open(port: number): Promise<RawConnection> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conn.setNoDelay(true);
    return new RawConnection(conn);
  }

  async send(text: string | Uint8Array): Promise<void> {
    const bytes = typeof text === "string" ? bytesOf(text) : text;
    for (let at = 0; at < bytes.length;) at += await this.conn.write(bytes.subarray(at));
  }

  /** Reads until what came matches. @throws Error at the connection's end, or after a while */
  async until(wanted: RegExp): Promise<string> {
    while (!wanted.test(this.got)) {
      if (!await this.#more()) throw new Error(`no ${wanted} in ${JSON.stringify(this.got)}`);
    }
    return this.got;
  }

  /** Reads to the end. @throws what a reset throws; Error after a while */
  async toEnd(): Promise<string> {
    while (await this.#more());
    return this.got;
  }

  async #more(): Promise<boolean> {
    let late: ReturnType<typeof setTimeout> | undefined;
    const limit = new Promise<never>((_, reject) => {
      late = setTimeout(() => reject(new Error(`nothing more after ${JSON.stringify(this.got)}`)), lateMs);
    });
    const reading = this.conn.read(this.#buffer);
    reading.catch(() => {});
    try {
      const count = await Promise.race([reading, limit]);
      if (count === null) return false;
      this.got += String.fromCharCode(...this.#buffer.subarray(0, count));
      return true;
    } finally {
      clearTimeout(late);
    }
  }

  close(): void {
    if (!this.#closed) this.conn.close();
    this.#closed = true;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Sends all of it, and reads to the end of the connection. */
export async function ask(port: number, text: string): Promise<string> {
  using connection = await RawConnection.open(port);
  await connection.send(text);
  return await connection.toEnd();
}

/** An answer that is at hand. */
export function say(text: string, headers: [name: string, value: string][] = []): Reply {
  return new Reply(200, headers, bytesOf(text));
}

/** Each character as one byte. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** An answer, taken apart. */
export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** The answers in what came, one after the other, by what their heads say. @throws Error for anything else in it */
export function answersIn(text: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  for (let at = 0; at < text.length;) {
    const end = text.indexOf("\r\n\r\n", at) + 4;
    const head = text.slice(at, end);
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]);
    if (end < 4 || Number.isNaN(status)) throw new Error(`no answer: ${JSON.stringify(text.slice(at))}`);
    const body = /^transfer-encoding: chunked\r$/im.test(head)
      ? chunksAt(text, end)
      : sized(text, end, Number(/^content-length: (\d+)\r$/im.exec(head)?.[1] ?? 0));
    answers.push({ status, head, body: body.text });
    at = body.end;
  }
  return answers;
}

function sized(text: string, start: number, length: number) {
  if (start + length > text.length) throw new Error(`half a body: ${JSON.stringify(text.slice(start))}`);
  return { text: text.slice(start, start + length), end: start + length };
}

function chunksAt(text: string, start: number) {
  let body = "";
  for (let at = start;;) {
    const line = text.indexOf("\r\n", at);
    const size = Number.parseInt(text.slice(at, line), 16);
    if (line < 0 || Number.isNaN(size)) {
      throw new Error(`half a chunked body: ${JSON.stringify(text.slice(start))}`);
    }
    const data = sized(text, line + 2, size);
    if (text.slice(data.end, data.end + 2) !== "\r\n") throw new Error("a chunk without its end");
    body += data.text;
    at = data.end + 2;
    if (size === 0) return { text: body, end: at };
  }
}
