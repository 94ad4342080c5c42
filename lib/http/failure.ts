/**
 * Any thrown thing as an answer. Whose fault it is decides the status: a client that reads 404 thinks its session is
 * gone, one that reads another 4xx thinks the server is an old one, and one that reads 401 logs in again; so trouble
 * behind us is always 5xx. No text from inside ever gets out.
 */
import { OAuthError } from "../oauth/errors.ts";
import { StoreUnavailable } from "../store/store.ts";
import { UpstreamError, type UpstreamFailure } from "../upstream/upstream.ts";

/** JSON-RPC codes outside the ranges that JSON-RPC and MCP reserve. */
export const rpcCodes = { upstream: -31_001, tooLarge: -31_002, tooSlow: -31_003, busy: -31_004 } as const;

/** An id as it stood in the request, or `null` text where there is none to name. */
export type RpcId = string;

/** A JSON-RPC error as the body of an answer; `id` is JSON text. */
export function rpcError(
  status: number,
  code: number,
  message: string,
  options: { id?: RpcId; retryAfterSec?: number; close?: boolean } = {},
): Response {
  const body = `{"jsonrpc":"2.0","id":${options.id ?? "null"},"error":{"code":${code},"message":${
    JSON.stringify(message)
  }}}`;
  const headers: [string, string][] = [["content-type", "application/json"], ["cache-control", "no-store"]];
  if (options.retryAfterSec !== undefined) headers.push(["retry-after", String(options.retryAfterSec)]);
  if (options.close === true) headers.push(["connection", "close"]);
  return new Response(body, { status, headers });
}

/** An OAuth-shaped error (RFC 6749 section 5.2) as the body of an answer. */
export function oauthFailure(error: OAuthError, challenge: string | undefined): Response {
  const headers: [string, string][] = [["content-type", "application/json"], ["cache-control", "no-store"]];
  if (challenge !== undefined) headers.push(["www-authenticate", challenge]);
  if (error.retryAfterSec !== undefined) headers.push(["retry-after", String(error.retryAfterSec)]);
  const body = JSON.stringify({ error: error.code, error_description: error.description });
  return new Response(body, { status: error.status, headers });
}

/** What a client is told when the upstream gave no answer that could be passed on. */
const upstreamSentences: Record<Exclude<UpstreamFailure, "client_gone">, [number, string]> = {
  unreachable: [502, "The MCP server behind this address cannot be reached"],
  broken: [502, "The MCP server behind this address broke off or did not speak HTTP"],
  refused: [502, "The MCP server behind this address refused the proxy's credential"],
  redirect: [502, "The MCP server behind this address answered with a redirect that cannot be followed"],
  timeout: [504, "The MCP server behind this address did not answer in time"],
};

/** Status and sentence for an upstream failure. */
export function upstreamSentence(failure: UpstreamFailure): [number, string] {
  // Nobody reads the answer to a client that is gone; the status is for the log (nginx's 499).
  return failure === "client_gone" ? [499, "The client left"] : upstreamSentences[failure];
}

/** The answer to whatever a handler threw. `challenge` is used for 401 and 403. */
export function failureResponse(
  error: unknown,
  options: { challenge?: (error: OAuthError) => string; id?: RpcId } = {},
): Response {
  if (error instanceof UpstreamError) {
    const [status, sentence] = upstreamSentence(error.failure);
    return rpcError(status, rpcCodes.upstream, sentence, options.id === undefined ? {} : { id: options.id });
  }
  if (error instanceof OAuthError) {
    const withChallenge = error.status === 401 || error.status === 403;
    return oauthFailure(error, withChallenge ? options.challenge?.(error) : undefined);
  }
  if (error instanceof StoreUnavailable) return oauthFailure(unavailable("store_unavailable"), undefined);
  return jsonFailure(500, "server_error", "Something went wrong inside the proxy");
}

/** 503 with `Retry-After`: something that we need is away for the moment. */
export function unavailable(reason: string): OAuthError {
  return new OAuthError("temporarily_unavailable", "The service is not available at the moment; try again", {
    status: 503,
    reason,
    retryAfterSec: 5,
  });
}

/** A small JSON error that is nobody's protocol in particular. */
export function jsonFailure(status: number, error: string, description?: string): Response {
  const body = JSON.stringify({
    error,
    ...(description === undefined ? {} : { error_description: description }),
  });
  return new Response(body, {
    status,
    headers: [["content-type", "application/json"], ["cache-control", "no-store"]],
  });
}
