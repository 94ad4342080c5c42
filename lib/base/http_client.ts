/**
 * The one way out: every outbound call (discovery, keys, tokens, client metadata documents, upstream) goes through a
 * client made here, so that the CA, proxy, timeout and size rules are the same everywhere.
 */

/** Options of one outbound call beyond those of fetch. */
export interface CallOptions extends RequestInit {
  /** Until the response's headers have come; milliseconds. */
  readonly timeoutMs?: number;
}

/** A fetch that knows the corporate network. Redirects are never followed unless the caller asks for it. */
export interface HttpClient {
  fetch(input: string | URL, init?: CallOptions): Promise<Response>;
  close(): void;
}
