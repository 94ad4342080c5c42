/**
 * One HTTP request to the upstream with the user's credentials. A refusal that can be cured is cured, one 401 and two
 * 403 at most; the next is given back as it came, so that nothing loops.
 *
 *     headers() -> fetch -> 401, or 403 for want of a scope -> renew() -> fetch again -> the answer, whatever it is
 */
import { UserError } from "../base/errors.ts";
import { discard, type HeaderList, headerOf, type UpstreamResponse } from "../upstream/upstream.ts";
import { decompressed } from "./content_encoding.ts";
import type { CredentialHeaders, Credentials } from "./credentials.ts";
import { within } from "./limit.ts";
import { codes, Unanswered } from "./rpc_error.ts";
import { sendOnce, type SendOnceParts, type UpstreamRequest } from "./send_once.ts";

/**
 * Sends it; the answer may be of any status.
 * @throws Unanswered when there is no answer or no credential; the signal's reason when it aborted.
 */
export type AuthorizedFetch = (request: UpstreamRequest) => Promise<UpstreamResponse>;

/** What sending needs. */
export interface SendingParts extends SendOnceParts {
  readonly credentials: Credentials;
  readonly userAgent: string;
  /** How long a request waits for a login before it is answered with an error. */
  readonly loginWaitMs: number;
}

const maxRedirects = 3;

/** Requests with the credentials of `parts`. */
export function authorizedFetch(parts: SendingParts): AuthorizedFetch {
  const { credentials } = parts;
  const own: HeaderList = [["accept-encoding", "identity"], ["user-agent", parts.userAgent]];
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

  const send = async (request: UpstreamRequest, used: CredentialHeaders): Promise<UpstreamResponse> => {
    const headers = withCredentials(own, request.headers, used);
    let url = request.url;
    for (let redirects = 0;; redirects++) {
      const response = await sendOnce(parts, { ...request, url }, headers);
      const target = redirectTarget(response, url);
      if (target === undefined) return decompressed(response);
      await discard(response);
      if (redirects === maxRedirects || target.origin !== url.origin) throw redirected(response, target);
      url = target;
    }
  };

  return async (request) => {
    const { signal } = request;
    const renewals = { 401: 1, 403: 2 };
    for (;;) {
      const used = credentials.now?.() ?? await waitForLogin(signal, (limit) => credentials.headers(limit));
      const response = await send(request, used);
      const challenge = headerOf(response.headers, "www-authenticate") ?? null;
      const status = curable(response.status, challenge);
      if (status === undefined || renewals[status]-- === 0) return response;
      const better = await waitForLogin(
        signal,
        (limit) => credentials.renew(used, { status, challenge }, limit),
      );
      if (!better) return response;
      await discard(response);
    }
  };
}

/** A header of the credentials takes the place of one that is there. */
function withCredentials(
  own: HeaderList,
  headers: readonly (readonly [name: string, value: string])[],
  { list }: CredentialHeaders,
): HeaderList {
  const fixed: HeaderList = list.map(([name, value]) => [name.toLowerCase(), value]);
  const isFixed = (name: string) => fixed.some(([other]) => other === name);
  const all: HeaderList = own.filter(([name]) => !isFixed(name));
  for (const [name, value] of headers) if (!isFixed(name)) all.push([name, value]);
  return all.concat(fixed);
}

/** A refusal that other credentials may cure; a plain 403 is the upstream's last word. */
function curable(status: number, challenge: string | null): 401 | 403 | undefined {
  if (status === 401) return 401;
  return status === 403 && challenge !== null && /insufficient_scope/.test(challenge) ? 403 : undefined;
}

/** Where a redirect that keeps method and body leads; others make no sense for a POST and are answers like any. */
function redirectTarget(response: UpstreamResponse, from: URL): URL | undefined {
  if (response.status !== 307 && response.status !== 308) return undefined;
  const location = headerOf(response.headers, "location");
  return location !== undefined && URL.canParse(location, from) ? new URL(location, from) : undefined;
}

function redirected(response: UpstreamResponse, target: URL): Unanswered {
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
