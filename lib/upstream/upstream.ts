import { type ByteStream, isStream } from "../base/byte_stream.ts";
/** One request on its way to the upstream; its headers are already what the upstream may see. */
export interface UpstreamRequest {
  readonly method: string;
  /** Path below the mount and query, as they go on: empty, or starting with `/` or `?`. */
  readonly suffix: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Bytes can be sent twice (redirect, retry); a stream cannot. */
  readonly body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null;
  /** The length of a streamed body, where it is known. */
  readonly bodyLength?: number | undefined;
  /** Resolves or fires when the client is gone; asked for only when the upstream takes its time. */
  readonly clientGone: () => AbortSignal;
}

/** Header names (lower case) and values. */
export type HeaderList = [name: string, value: string][];

/** An answer; whoever gets a stream reads it to its end or cancels it. */
export interface UpstreamResponse {
  readonly status: number;
  /** Names in lower case; one that comes twice may stand here twice. */
  readonly headers: HeaderList;
  readonly body: Uint8Array<ArrayBuffer> | ByteStream | null;
}

/** Where MCP requests go. */
export interface Upstream extends AsyncDisposable {
  /**
   * Sends the request and returns the answer as soon as its headers are there; a small body comes with them.
   * @throws UpstreamError when there is no answer, or none that may be passed on.
   */
  forward(request: UpstreamRequest): Promise<UpstreamResponse>;
  /** Whether the upstream accepts connections. */
  ready(): Promise<boolean>;
}

/** Why there is no answer. `refused`: our own credential; `client_gone` is nobody's fault and is never sent. */
export type UpstreamFailure = "unreachable" | "timeout" | "redirect" | "broken" | "refused" | "client_gone";

/** The upstream did not give an answer that can be passed on. The message is for the log; it may name hosts. */
export class UpstreamError extends Error {
  override readonly name = "UpstreamError";
  constructor(readonly failure: UpstreamFailure, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
  }
}

/** Lets go of an answer that is not used. */
export async function discard({ body }: UpstreamResponse): Promise<void> {
  if (isStream(body)) await body.cancel().catch(() => {});
}

/** The value of a header, or `undefined`. */
export function headerOf(headers: HeaderList, wanted: string): string | undefined {
  return headers.find(([name]) => name === wanted)?.[1];
}
