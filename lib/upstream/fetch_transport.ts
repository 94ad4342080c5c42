/** Requests by fetch, for an upstream that is reached through a corporate proxy. */
import { describeError } from "../base/errors.ts";
import type { HttpClient } from "../base/http_client.ts";
import { headerList, smallAnswerBytes, type Transport, type TransportRequest } from "./transport.ts";
import { type HeaderList, headerOf, UpstreamError, type UpstreamResponse } from "./upstream.ts";

/** Sends to `origin`, such as `https://mcp.example.com`. */
export function fetchTransport(origin: string, http: HttpClient): Transport {
  let lengthRequired = false;

  const ask = async (request: TransportRequest, signal: AbortSignal): Promise<Response> => {
    const { method, headers, body, mayRepeat = false } = request;
    const url = new URL(origin + request.target);
    const client = http.native?.(url);
    const once = body instanceof Uint8Array && !mayRepeat && !lengthRequired;
    const response = await fetch(url, {
      ...(client === undefined ? {} : { client }),
      method,
      headers: headers as HeaderList,
      body: once ? unrepeatable(body) : body,
      signal,
      redirect: "manual",
    });
    if (response.status !== 411 || !once) return response;
    await response.body?.cancel();
    lengthRequired = true;
    return await ask(request, signal);
  };

  return {
    send(request) {
      const abort = new AbortController();
      const response = ask(request, abort.signal).then(answer, (error) => {
        throw abort.signal.reason instanceof Error && abort.signal.aborted
          ? abort.signal.reason
          : failure(error);
      });
      return { response, cancel: (reason) => abort.abort(reason) };
    },
    [Symbol.dispose]() {},
  };
}

/**
 * The runtime's fetch sends a POST again by itself when a kept connection is closed before the answer, although the
 * server may have acted upon it (seen with Deno 2.9.6: five sent, ten received). A body that is a stream it cannot
 * send twice; it goes without a length, which servers that answer 411 do not take.
 */
function unrepeatable(body: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      // An answer may come before it is sent, and then its memory is the next request's.
      controller.enqueue(body.slice());
      controller.close();
    },
  });
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
