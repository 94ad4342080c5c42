/**
 * An upstream that is reached by URL. Requests and answers go through as streams.
 *
 *     request -> transport (our own HTTP/1.1; fetch through a corporate proxy)
 *       -> 2xx, 4xx, 5xx: the answer
 *       -> 307/308 to the same origin: once more with the body, up to five times
 *       -> any other redirect, nothing, garbage: UpstreamError
 */
import type { Transport } from "./transport.ts";
import {
  discard,
  headerOf,
  type Upstream,
  UpstreamError,
  type UpstreamRequest,
  type UpstreamResponse,
} from "./upstream.ts";
import { WaitingRoom } from "./waiting.ts";

/** What a remote upstream is made with. */
export interface RemoteOptions {
  readonly url: URL;
  readonly transport: Transport;
  /** 0: no limit. */
  readonly firstByteTimeoutMs: number;
  readonly connectTimeoutMs: number;
}

const maxRedirects = 5;

/** The upstream at this URL. */
export function remoteUpstream(options: RemoteOptions): Upstream {
  const { url, transport } = options;
  const room = new WaitingRoom(options.firstByteTimeoutMs);
  const whole = url.pathname + url.search;
  // A path below the mount continues the upstream's own path; its query comes after the configured one.
  const base = url.pathname === "/" ? "" : url.pathname;

  const targetOf = (suffix: string): string => {
    if (suffix === "") return whole;
    const at = suffix.indexOf("?");
    const path = at < 0 ? suffix : suffix.slice(0, at);
    const query = [url.search.slice(1), at < 0 ? "" : suffix.slice(at + 1)].filter((part) => part !== "");
    return (path === "" ? url.pathname : base + path) + (query.length === 0 ? "" : `?${query.join("&")}`);
  };

  return {
    async forward(request) {
      const { method, headers, body, bodyLength } = request;
      let target = targetOf(request.suffix);
      for (let hop = 0; hop <= maxRedirects; hop++) {
        const sending = transport.send({ method, target, headers, body, bodyLength });
        const waiting = room.enter(sending.cancel, request.clientGone);
        let response: UpstreamResponse;
        try {
          response = await sending.response;
        } finally {
          room.leave(waiting);
        }
        if (response.status < 300 || response.status >= 400 || response.status === 304) return response;
        await discard(response);
        target = redirectTarget(response, new URL(url.origin + target), request);
      }
      throw new UpstreamError("redirect", `more than ${maxRedirects} redirects`);
    },

    ready: () => accepts(url, Math.max(1_000, options.connectTimeoutMs)),

    [Symbol.asyncDispose]() {
      room.close();
      transport[Symbol.dispose]();
      return Promise.resolve();
    },
  };
}

/** Only 307 and 308 keep method and body, and only the same origin may get the credential. */
function redirectTarget(response: UpstreamResponse, from: URL, request: UpstreamRequest): string {
  const location = headerOf(response.headers, "location");
  const to = location !== undefined && URL.canParse(location, from) ? new URL(location, from) : undefined;
  const keepsRequest = response.status === 307 || response.status === 308;
  const fail = (why: string) => new UpstreamError("redirect", `answered ${response.status}, ${why}`);
  if (to === undefined) throw fail("without a usable location");
  if (!keepsRequest && request.method !== "GET") throw fail("which would change the request");
  if (to.origin !== from.origin) throw fail(`to another origin (${to.origin})`);
  if (request.body instanceof ReadableStream) throw fail("but the body was too large to be sent again");
  return to.pathname + to.search;
}

/** Whether a connection is accepted within the time. */
async function accepts(url: URL, limitMs: number): Promise<boolean> {
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
  const connecting = Deno.connect({ hostname: url.hostname.replace(/^\[|\]$/g, ""), port });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, limitMs, undefined);
  });
  try {
    const conn = await Promise.race([connecting, late]);
    if (conn === undefined) connecting.then((connected) => connected.close(), () => {});
    conn?.close();
    return conn !== undefined;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
