/** One request on its way to the upstream; its headers are already what the upstream may see. */
export interface UpstreamRequest {
  readonly method: string;
  /** Path below the mount and query, as they go on: empty, or starting with `/` or `?`. */
  readonly suffix: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Bytes can be sent twice (redirect, retry); a stream cannot. */
  readonly body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null;
  /** Resolves or fires when the client is gone; asked for only when the upstream takes its time. */
  readonly clientGone: () => AbortSignal;
}

/** Header names (lower case) and values. */
export type HeaderList = [name: string, value: string][];

/** Where MCP requests go. */
export interface Upstream extends AsyncDisposable {
  /**
   * Sends the request and returns the answer as soon as its headers are there; the body is not read.
   * @throws UpstreamError when there is no answer, or none that may be passed on.
   */
  forward(request: UpstreamRequest): Promise<Response>;
  /** Whether the upstream accepts connections. */
  ready(): Promise<boolean>;
}

/** Why there is no answer. `client_gone` is nobody's fault and is never sent. */
export type UpstreamFailure = "unreachable" | "timeout" | "redirect" | "broken" | "client_gone";

/** The upstream did not give an answer that can be passed on. The message is for the log; it may name hosts. */
export class UpstreamError extends Error {
  override readonly name = "UpstreamError";
  constructor(readonly failure: UpstreamFailure, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
  }
}
