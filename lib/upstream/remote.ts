/**
 * An upstream that is reached by URL. Requests and answers go through as streams.
 *
 *     request -> fetch (redirects by hand) -> 2xx, 4xx, 5xx: the answer, body unread
 *                                          `-> 307/308 to the same origin: once more with the body, up to five times
 *                                          `-> any other redirect, nothing, garbage: UpstreamError
 */
import type { HttpClient } from "../base/http_client.ts";
import { describeError } from "../base/errors.ts";
import { type HeaderList, type Upstream, UpstreamError, type UpstreamRequest } from "./upstream.ts";
import { WaitingRoom } from "./waiting.ts";

/** What a remote upstream is made with. */
export interface RemoteOptions {
  readonly url: URL;
  readonly http: HttpClient;
  /** 0: no limit. */
  readonly firstByteTimeoutMs: number;
  readonly connectTimeoutMs: number;
}

const maxRedirects = 5;

/** The upstream at this URL. */
export function remoteUpstream(options: RemoteOptions): Upstream {
  const { url, http } = options;
  const room = new WaitingRoom(options.firstByteTimeoutMs);
  // A path below the mount continues the upstream's own path; its query comes after the configured one.
  const base = url.origin + (url.pathname === "/" ? "" : url.pathname);
  const whole = new URL(url);

  const target = (suffix: string): URL => {
    if (suffix === "") return whole;
    const at = suffix.indexOf("?");
    const path = at < 0 ? suffix : suffix.slice(0, at);
    const query = [url.search.slice(1), at < 0 ? "" : suffix.slice(at + 1)].filter((part) => part !== "")
      .join("&");
    return new URL(`${path === "" ? base || url.origin : base + path}${query === "" ? "" : `?${query}`}`);
  };

  const send = async (to: URL, request: UpstreamRequest): Promise<Response> => {
    const abort = new AbortController();
    const waiting = room.enter(abort, request.clientGone);
    const client = http.native?.(to);
    try {
      return await fetch(to, {
        ...(client === undefined ? {} : { client }),
        method: request.method,
        headers: request.headers as HeaderList,
        body: request.body,
        signal: abort.signal,
        redirect: "manual",
      });
    } catch (error) {
      throw upstreamError(error, abort.signal);
    } finally {
      room.leave(waiting);
    }
  };

  return {
    async forward(request) {
      let to = target(request.suffix);
      for (let hop = 0; hop <= maxRedirects; hop++) {
        const response = await send(to, request);
        if (response.status < 300 || response.status >= 400 || response.status === 304) return response;
        await response.body?.cancel();
        to = redirectTarget(response, to, request);
      }
      throw new UpstreamError("redirect", `more than ${maxRedirects} redirects`);
    },

    async ready() {
      try {
        const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
        const hostname = url.hostname.replace(/^\[|\]$/g, "");
        const connecting = Deno.connect({ hostname, port });
        const limit = Math.max(1_000, options.connectTimeoutMs);
        const conn = await Promise.race([
          connecting,
          new Promise<undefined>((resolve) => {
            const timer = setTimeout(resolve, limit, undefined);
            connecting.then(() => clearTimeout(timer), () => clearTimeout(timer));
          }),
        ]);
        if (conn === undefined) connecting.then((late) => late.close(), () => {});
        conn?.close();
        return conn !== undefined;
      } catch {
        return false;
      }
    },

    [Symbol.asyncDispose]() {
      room.close();
      return Promise.resolve();
    },
  };
}

/** Only 307 and 308 keep method and body, and only the same origin may get the credential. */
function redirectTarget(response: Response, from: URL, request: UpstreamRequest): URL {
  const location = response.headers.get("location");
  const to = location !== null && URL.canParse(location, from) ? new URL(location, from) : undefined;
  const keepsRequest = response.status === 307 || response.status === 308;
  const fail = (why: string) => new UpstreamError("redirect", `answered ${response.status}, ${why}`);
  if (to === undefined) throw fail("without a usable location");
  if (!keepsRequest && request.method !== "GET") throw fail("which would change the request");
  if (to.origin !== from.origin) throw fail(`to another origin (${to.origin})`);
  if (request.body instanceof ReadableStream) throw fail("but the body was too large to be sent again");
  return to;
}

function upstreamError(error: unknown, signal: AbortSignal): UpstreamError {
  if (signal.reason instanceof UpstreamError) return signal.reason;
  if (error instanceof UpstreamError) return error;
  const text = describeError(error);
  const broken =
    /invalid|parse|incomplete|closed before message|connection (reset|closed)|unexpected|malformed|body/i;
  const failure = broken.test(text) && !/refused|dns|resolve/i.test(text) ? "broken" : "unreachable";
  return new UpstreamError(failure, text, error);
}
