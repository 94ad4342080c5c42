/** Requests by fetch, for an upstream that is reached through a corporate proxy. */
import { describeError } from "../base/errors.ts";
import type { HttpClient } from "../base/http_client.ts";
import { headerList, smallAnswerBytes, type Transport } from "./transport.ts";
import { type HeaderList, headerOf, UpstreamError, type UpstreamResponse } from "./upstream.ts";

/** Sends to `origin`, such as `https://mcp.example.com`. */
export function fetchTransport(origin: string, http: HttpClient): Transport {
  return {
    send({ target, ...init }) {
      const abort = new AbortController();
      const url = new URL(origin + target);
      const client = http.native?.(url);
      const asking = fetch(url, {
        ...(client === undefined ? {} : { client }),
        method: init.method,
        headers: init.headers as HeaderList,
        body: init.body,
        signal: abort.signal,
        redirect: "manual",
      });
      const response = asking.then(answer, (error) => {
        throw abort.signal.reason instanceof Error && abort.signal.aborted
          ? abort.signal.reason
          : failure(error);
      });
      return { response, cancel: (reason) => abort.abort(reason) };
    },
    [Symbol.dispose]() {},
  };
}

async function answer(response: Response): Promise<UpstreamResponse> {
  const headers = headerList(response.headers);
  const length = Number(headerOf(headers, "content-length") ?? "NaN");
  const isEvents = /^text\/event-stream\b/i.test(headerOf(headers, "content-type") ?? "");
  const whole = response.body !== null && length <= smallAnswerBytes && !isEvents;
  try {
    return { status: response.status, headers, body: whole ? await response.bytes() : response.body };
  } catch (error) {
    throw new UpstreamError("broken", "the answer broke off", error);
  }
}

function failure(error: unknown): UpstreamError {
  if (error instanceof UpstreamError) return error;
  const text = describeError(error);
  const broken =
    /invalid|parse|incomplete|closed before message|connection (reset|closed)|unexpected|malformed|body/i;
  const kind = broken.test(text) && !/refused|dns|resolve/i.test(text) ? "broken" : "unreachable";
  return new UpstreamError(kind, text, error);
}
