import { asReadable, type ByteSource, collected, isStream } from "../../base/byte_stream.ts";
import { readBody } from "../../base/http1/body.ts";
import type { Field } from "../../base/http1/fields.ts";
import type { Wire } from "../../base/http1/wire.ts";
import type { HeaderReader, Incoming } from "../incoming.ts";
import type { RequestHead } from "./request_head.ts";

/** What a request asks of the connection that it came on. */
export interface RequestHooks {
  /** The body is wanted now, and was not before. */
  readonly beforeBody: () => void;
  /** Somebody wants to know when the client leaves. */
  readonly watch: () => void;
}

/** One request on a connection of our own. */
export class Http1Request implements Incoming {
  readonly method: string;
  readonly url: string;
  readonly headers: HeaderReader;
  /** Nothing of the body is left on the connection. */
  bodyDone: boolean;
  /** Nobody has asked for the body yet, so that all of it can still be read. */
  bodyUntouched = true;
  /** What comes on the connection from then on is another request's. */
  over = false;
  /** From then on nothing else is said about the request. */
  answerBegun = false;
  #body: ReadableStream<Uint8Array<ArrayBuffer>> | null | undefined;
  #abort: AbortController | undefined;
  #left = false;

  constructor(readonly head: RequestHead, private readonly wire: Wire, private readonly hooks: RequestHooks) {
    this.method = head.method;
    this.url = head.url;
    this.headers = new FieldReader(head.fields);
    this.bodyDone = head.framing === "none";
  }

  get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null {
    return this.#body ??= this.head.framing === "none" ? null : this.#stream();
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#left) this.#abort.abort();
    this.hooks.watch();
    return this.#abort.signal;
  }

  atHand(): Uint8Array<ArrayBuffer> | undefined {
    const { wire, head } = this;
    if (typeof head.framing !== "number" || this.bodyDone || this.over) return undefined;
    const end = wire.start + head.framing;
    if (end > wire.end) return undefined;
    const body = wire.buffer.subarray(wire.start, end);
    wire.start = end;
    this.bodyUntouched = false;
    this.bodyDone = true;
    return body;
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    if (this.head.framing === "none") return new Uint8Array();
    const body = await this.#read(true);
    return isStream(body) ? await collected(body) : body ?? new Uint8Array();
  }

  /** The client is gone. */
  leave(): void {
    this.#left = true;
    this.#abort?.abort();
  }

  get wantsToKnow(): boolean {
    return this.#abort !== undefined;
  }

  #stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    const body = this.#read(false);
    return asReadable(body as ByteSource) as ReadableStream<Uint8Array<ArrayBuffer>>;
  }

  #read(whole: boolean) {
    const begin = () => {
      if (this.over || this.bodyDone) throw new TypeError("the body is read, or the request over");
      if (this.bodyUntouched) this.hooks.beforeBody();
      this.bodyUntouched = false;
    };
    if (whole) begin();
    return readBody(this.wire, this.head.framing, {
      whole,
      onPull: begin,
      onEnd: (complete) => {
        this.bodyUntouched = false;
        this.bodyDone = complete;
        if (complete && this.#abort !== undefined) this.hooks.watch();
      },
      asError: (error) => error,
    });
  }
}

class FieldReader implements HeaderReader {
  constructor(private readonly fields: readonly Field[]) {}

  get(wanted: string): string | null {
    let found: string | null = null;
    for (const [name, value] of this.fields) {
      if (name === wanted) found = found === null ? value : `${found}, ${value}`;
    }
    return found;
  }

  has(wanted: string): boolean {
    return this.fields.some(([name]) => name === wanted);
  }

  forEach(callback: (value: string, name: string) => void): void {
    for (const [name, value] of this.fields) callback(value, name);
  }
}
