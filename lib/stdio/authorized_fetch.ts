/**
 * One HTTP request to the upstream with the user's credentials. A refusal that can be cured is cured, one 401 and two
 * 403 at most; the next is given back as it came, so that nothing loops.
 *
 *     headers() -> fetch -> 401, or 403 for want of a scope -> renew() -> fetch again -> the answer, whatever it is
 */
import type { HttpClient } from "../base/http_client.ts";
import { NetworkError } from "../base/network_error.ts";
import { describeError, UserError } from "../base/errors.ts";
import { decompressed } from "./content_encoding.ts";
import type { CredentialHeaders, Credentials } from "./credentials.ts";
import { within } from "./limit.ts";
import { whileReachable } from "./reachable.ts";
import { codes, Unanswered } from "./rpc_error.ts";

/** What is sent; the credentials and what every request carries are added. */
export interface UpstreamRequest {
  readonly method: "POST" | "GET" | "DELETE";
  readonly url: URL;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly signal: AbortSignal;
  /** Until the answer's headers; 0 or absent: no limit. */
  readonly timeoutMs?: number;
  /** Must not be carried out twice. */
  readonly once?: boolean;
  /** With `timeoutMs`: the answer may take longer as long as the upstream can be reached. */
  readonly patient?: boolean;
}

/**
 * Sends it; the answer may be of any status.
 * @throws Unanswered when there is no answer or no credential; the signal's reason when it aborted.
 */
export type AuthorizedFetch = (request: UpstreamRequest) => Promise<Response>;

/** What sending needs. */
export interface SendingParts {
  readonly http: HttpClient;
  readonly credentials: Credentials;
  readonly userAgent: string;
  /** How long a request waits for a login before it is answered with an error. */
  readonly loginWaitMs: number;
  /** The upstream is connected to directly, so that looking whether it is there makes sense. */
  readonly isDirect: (url: URL) => boolean;
}

const maxRedirects = 3;

/** Requests with the credentials of `parts`. */
export function authorizedFetch(parts: SendingParts): AuthorizedFetch {
  const { credentials } = parts;
  const state = { lengthRequired: false };

  const waitForLogin = async <T>(
    signal: AbortSignal,
    wait: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> => {
    try {
      return await within(signal, parts.loginWaitMs, () => loginPending(credentials), wait);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw error instanceof Unanswered ? error : noCredentials(error);
    }
  };

  const send = async (request: UpstreamRequest, used: CredentialHeaders): Promise<Response> => {
    const headers = new Headers([
      ["accept-encoding", "identity"],
      ["user-agent", parts.userAgent],
      ...request.headers as [string, string][],
    ]);
    for (const [name, value] of used.list) headers.set(name, value);
    let url = request.url;
    for (let redirects = 0;; redirects++) {
      const once = request.once === true && !state.lengthRequired;
      const response = await fetchOnce(parts, { ...request, once }, url, headers);
      if (response.status === 411 && once) {
        await response.body?.cancel();
        state.lengthRequired = true;
        continue;
      }
      const target = redirectTarget(response, url);
      if (target === undefined) return decompressed(response);
      await response.body?.cancel();
      if (redirects === maxRedirects || target.origin !== url.origin) throw redirected(response, target);
      url = target;
    }
  };

  return async (request) => {
    const { signal } = request;
    const renewals = { 401: 1, 403: 2 };
    for (;;) {
      const used = await waitForLogin(signal, (limit) => credentials.headers(limit));
      const response = await send(request, used);
      const challenge = response.headers.get("www-authenticate");
      const status = curable(response.status, challenge);
      if (status === undefined || renewals[status]-- === 0) return response;
      const better = await waitForLogin(
        signal,
        (limit) => credentials.renew(used, { status, challenge }, limit),
      );
      if (!better) return response;
      await response.body?.cancel();
    }
  };
}

/** A refusal that other credentials may cure; a plain 403 is the upstream's last word. */
function curable(status: number, challenge: string | null): 401 | 403 | undefined {
  if (status === 401) return 401;
  return status === 403 && challenge !== null && /insufficient_scope/.test(challenge) ? 403 : undefined;
}

async function fetchOnce(
  parts: SendingParts,
  request: UpstreamRequest,
  url: URL,
  headers: Headers,
): Promise<Response> {
  const { method, body, timeoutMs = 0, patient = false } = request;
  const fetch = (signal: AbortSignal) =>
    parts.http.fetch(url, {
      method,
      headers,
      signal,
      redirect: "manual",
      ...(body === undefined ? {} : { body: request.once === true ? unrepeatable(body) : body }),
      ...(timeoutMs === 0 || patient ? {} : { timeoutMs }),
    });
  try {
    if (!patient || timeoutMs === 0 || !parts.isDirect(url)) return await fetch(request.signal);
    const { promise: gone, reject } = Promise.withResolvers<never>();
    const answer = fetch(request.signal);
    const onGone = () => {
      reject(lost(url));
      answer.then((late) => late.body?.cancel()).catch(() => {});
    };
    // The look itself takes a while; together they stay within the limit.
    return await whileReachable(url, timeoutMs * 0.8, onGone, Promise.race([answer, gone]));
  } catch (error) {
    if (request.signal.aborted) throw request.signal.reason;
    throw error instanceof Unanswered ? error : unreachable(error);
  }
}

/**
 * The runtime's fetch sends a POST again by itself when a kept connection is closed before the answer, although the
 * server may have acted upon it (seen with Deno 2.9.6: five sent, ten received). A body that is a stream it cannot
 * send twice; it goes without a length, which servers that answer 411 do not take.
 */
function unrepeatable(body: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(body);
      controller.close();
    },
  });
}

function lost(url: URL): Unanswered {
  return new Unanswered(codes.unreachable, `Cannot reach ${url.origin} any more`, {
    hint: "The request may have been carried out; look before sending it again",
  });
}

function unreachable(error: unknown): Unanswered {
  if (error instanceof UserError) {
    return new Unanswered(codes.unreachable, error.message, { hint: error.hint, cause: error });
  }
  const network = error instanceof NetworkError ? error : undefined;
  const timedOut = network?.reason === "timeout";
  return new Unanswered(
    timedOut ? codes.timedOut : codes.unreachable,
    network?.message ?? describeError(error),
    {
      hint: network?.hint ?? "Check that the server is running and its address is right, then try again",
      // Name, certificate and refused connection: not a byte of the request has left.
      neverReached: !timedOut && /refused|resolve|unreachable|certificate|dns/i.test(describeError(error)),
      cause: error,
    },
  );
}

/** Where a redirect that keeps method and body leads; others make no sense for a POST and are answers like any. */
function redirectTarget(response: Response, from: URL): URL | undefined {
  if (response.status !== 307 && response.status !== 308) return undefined;
  const location = response.headers.get("location");
  return location !== null && URL.canParse(location, from) ? new URL(location, from) : undefined;
}

function redirected(response: Response, target: URL): Unanswered {
  return new Unanswered(codes.badAnswer, `The upstream redirects to ${target.origin}${target.pathname}`, {
    hint: "If that is the right server, give its address instead",
    httpStatus: response.status,
  });
}

function noCredentials(error: unknown): Unanswered {
  const hint = error instanceof UserError ? error.hint : undefined;
  return new Unanswered(codes.noCredentials, error instanceof Error ? error.message : String(error), {
    hint: hint ?? "See the log of mcp-doorman",
    neverReached: true,
    cause: error,
  });
}

function loginPending(credentials: Credentials): Unanswered {
  const status = credentials.status();
  const what = status.state === "waiting_for_user"
    ? `Log in at ${status.url}` + (status.userCode === undefined ? "" : ` with the code ${status.userCode}`)
    : status.state === "failed"
    ? status.message
    : "A login is under way";
  return new Unanswered(codes.noCredentials, "The login at the upstream is not finished", {
    hint: `${what}, then try again`,
    neverReached: true,
  });
}
