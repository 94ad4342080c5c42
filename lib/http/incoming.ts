/**
 * A request as the surface reads it, whichever listener it came on. Only the endpoints of the inbound, which a
 * framework serves, need one of the runtime's own.
 */

/** Header values by name (lower case); several of one name are joined by commas. */
export interface HeaderReader {
  get(name: string): string | null;
  has(name: string): boolean;
  /** A name that came twice may be given twice. */
  forEach(callback: (value: string, name: string) => void): void;
}

/** A request; the runtime's `Request` is one. */
export interface Incoming {
  readonly method: string;
  /** Scheme, host and target as they came, not normalised. */
  readonly url: string;
  readonly headers: HeaderReader;
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>> | null;
  /** Fires when the client leaves before the answer is complete. */
  readonly signal: AbortSignal;
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
  /** The whole body where it came with the head; its memory is used again once the answer is out. */
  atHand?(): Uint8Array<ArrayBuffer> | undefined;
}

/** The same as a request of the runtime, with this body. @throws TypeError for a method that the runtime refuses */
export function asRequest(
  { method, url, signal, headers: from }: Incoming,
  body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null,
): Request {
  const headers: [string, string][] = [];
  from.forEach((value, name) => headers.push([name, value]));
  return new Request(url, { method, headers, body, signal });
}
