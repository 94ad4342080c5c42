/**
 * Requests to the upstream over our own HTTP/1.1 where it is reached directly: a call costs a fraction of fetch's CPU,
 * and nothing is sent twice. Through a corporate proxy, with a client certificate, and with headers that are about the
 * connection they go by fetch.
 *
 *     fetch(url) -> direct? -> Http1Client of the origin -> Response
 *                       `----> the client given
 */
import { certificateAuthorities } from "../base/ca.ts";
import type { CallOptions, HttpClient } from "../base/http_client.ts";
import type { HttpClientConfig } from "../base/http_config.ts";
import type { Logger } from "../base/log.ts";
import { networkError } from "../base/network_error.ts";
import { proxyRule } from "../base/proxy.ts";
import {
  Http1Client,
  type Http1Request,
  type Http1Response,
  type Sending,
} from "../upstream/http1/client.ts";
import { UpstreamError } from "../upstream/upstream.ts";

/** What a connection is made with. */
export interface DirectParts {
  /** Takes what cannot go directly; not closed here. */
  readonly http: HttpClient;
  readonly config: HttpClientConfig;
  readonly log: Logger;
}

/** Nothing is opened before the first call; `close` ends every connection. */
export function directHttp({ http, config, log }: DirectParts): HttpClient {
  const { isDirect } = proxyRule(config);
  const hasCertificate = config.clientCertFile !== undefined;
  const clients = new Map<string, Http1Client>();

  const clientFor = (url: URL): Http1Client => {
    const known = clients.get(url.origin);
    if (known !== undefined) return known;
    const secure = url.protocol === "https:";
    const client = new Http1Client({
      hostname: url.hostname.replace(/^\[|\]$/g, ""),
      port: url.port === "" ? (secure ? 443 : 80) : Number(url.port),
      host: url.host,
      timeoutMs: 0,
      ...(secure ? { tls: { caCerts: certificateAuthorities(config.caFiles, log) } } : {}),
    });
    clients.set(url.origin, client);
    return client;
  };
  const sendsOnce = (url: URL) => !hasCertificate && isDirect(url);

  return {
    async fetch(input, init = {}) {
      const url = input instanceof URL ? input : new URL(input);
      const request = sendsOnce(url) ? requestOf(url, init) : undefined;
      if (request === undefined) return await http.fetch(url, init);
      const client = clientFor(url);
      const { signal, timeoutMs } = init;
      signal?.throwIfAborted();
      try {
        return await answered(client, request, signal ?? undefined, timeoutMs);
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        const timedOutAfterMs = error === tookTooLong ? timeoutMs : undefined;
        throw await networkError(url, told(error), { timedOutAfterMs, mayProbe: true });
      }
    },
    sendsOnce,
    close() {
      for (const client of clients.values()) client[Symbol.dispose]();
      clients.clear();
    },
  };
}

/** Names that are about the connection, which only fetch knows how to send as somebody wants them. */
const connectionHeaders =
  /^(?:host|connection|content-length|expect|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade)$/;

/** `undefined` when it is none for our own HTTP/1.1. */
function requestOf(url: URL, init: CallOptions): Http1Request | undefined {
  const { method = "GET", headers = [], body = null } = init;
  if (body !== null && !(body instanceof Uint8Array)) return undefined;
  const list: [name: string, value: string][] = [];
  for (const [name, value] of Array.isArray(headers) ? headers : new Headers(headers)) {
    const lower = name?.toLowerCase() ?? "";
    if (!/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(lower) || connectionHeaders.test(lower)) return undefined;
    list.push([lower, value?.trim() ?? ""]);
  }
  return { method, target: url.pathname + url.search, headers: list, body };
}

const tookTooLong = new Error("no answer in time");

/** The head's answer; the signal ends the request until its body has ended. */
function answered(
  client: Http1Client,
  request: Http1Request,
  signal: AbortSignal | undefined,
  timeoutMs: number | undefined,
): Promise<Response> {
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = (reason: Error) => {
    sending.cancel(reason);
    reject(reason);
  };
  const onAbort = () => stop(new Error("aborted"));
  const release = () => signal?.removeEventListener("abort", onAbort);
  const sending: Sending = client.send({ ...request, onEnd: release });
  signal?.addEventListener("abort", onAbort);
  if (timeoutMs !== undefined) timer = setTimeout(() => stop(tookTooLong), timeoutMs);
  sending.response.then((answer) => {
    clearTimeout(timer);
    resolve(responseOf(answer));
  }, (error) => {
    clearTimeout(timer);
    release();
    reject(error);
  });
  return promise;
}

/** Statuses that have no body for `Response`. */
const bodiless = new Set([204, 205, 304]);

function responseOf({ status, statusText, headers, body }: Http1Response): Response {
  // The reader of a small body wants to know that it is one.
  if (body instanceof Uint8Array && !headers.some(([name]) => name === "content-length")) {
    headers.push(["content-length", `${body.length}`]);
  }
  const init = { status, statusText: /^[\t\x20-\x7e]*$/.test(statusText) ? statusText : "", headers };
  if (!bodiless.has(status)) return new Response(body, init);
  if (body instanceof ReadableStream) body.cancel().catch(() => {});
  return new Response(null, init);
}

/** The runtime's own error where no connection came about: it says what is wrong with name, address or certificate. */
function told(error: unknown): unknown {
  return error instanceof UpstreamError && error.failure === "unreachable" ? error.cause ?? error : error;
}
