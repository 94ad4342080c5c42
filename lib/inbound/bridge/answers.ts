import type { Context } from "hono";
import { describeError } from "../../base/errors.ts";
import { randomText } from "../../base/bytes.ts";
import { currentRequest } from "../../base/request_context.ts";
import { IdpError } from "../../idp/idp.ts";
import { OAuthError } from "../../oauth/errors.ts";
import { StoreUnavailable } from "../../store/store.ts";
import { missingFromLists } from "../allow.ts";
import type { LoginRequest } from "./tickets.ts";
import { cureOf, failure } from "./failures.ts";
import { continuePage } from "./pages/continue_page.ts";
import { failurePage, type WayOut } from "./pages/failure_page.ts";
import { brandOf } from "./pages/brand.ts";
import type { BridgeParts } from "./parts.ts";
import { isWebRedirect } from "./redirects.ts";

/** Names that the metrics had before; everything else is counted under its cause. */
const metricNames: Readonly<Record<string, string>> = {
  not_allowed: "group",
  refresh_not_allowed: "group",
  email_not_verified: "email_unverified",
};

/** Anything thrown, as the error that the wire sees. */
export function asOAuthError(error: unknown): OAuthError {
  if (error instanceof OAuthError) return error;
  if (error instanceof StoreUnavailable) return failure("replay_store_unavailable", { error });
  if (error instanceof IdpError && error.kind === "transient") return failure("idp_unavailable", { error });
  if (error instanceof IdpError) return failure("idp_refused", { error });
  return failure("internal", { error });
}

/** Counts a refusal under the name that the metrics have for its cause. */
export function countRefusal(parts: Pick<BridgeParts, "counters">, error: OAuthError): void {
  parts.counters.add("mcp_auth_access_denied_total", { reason: metricNames[error.reason] ?? error.reason });
}

/** Counts and logs a refusal; returns the reference under which it stands in the log: the request's id. */
export function noteFailure(parts: BridgeParts, error: OAuthError, endpoint: string): string {
  const request = currentRequest();
  if (request !== undefined) request.reason = error.reason;
  const requestId = request?.requestId ?? randomText(6);
  const fields = { requestId, endpoint, reason: error.reason, status: error.status };
  countRefusal(parts, error);
  if (error.status >= 500) {
    parts.log.error(`access_denied_${error.reason}`, {
      ...fields,
      cause: describeError(error.cause ?? error),
    });
  } else {
    const cause = error.cause === undefined ? {} : { cause: describeError(error.cause) };
    parts.log.info(`access_denied_${error.reason}`, { ...fields, ...cause });
  }
  return requestId;
}

/** The error as JSON (RFC 6749 section 5.2). */
export function errorJson(
  error: OAuthError,
  headers: Record<string, string> = {},
  status: number = error.status,
): Response {
  return Response.json(
    { error: error.code, error_description: error.description, error_code: error.reason },
    {
      status,
      headers: {
        "cache-control": "no-store, no-transform",
        pragma: "no-cache",
        ...(error.retryAfterSec === undefined ? {} : { "retry-after": String(error.retryAfterSec) }),
        ...headers,
      },
    },
  );
}

/** The error for whoever asks at an endpoint of the browser: a page, or JSON for a program. */
export async function errorAnswer(
  parts: BridgeParts,
  c: Context,
  thrown: unknown,
  options: {
    readonly endpoint: string;
    readonly links?: readonly WayOut[];
    readonly account?: string | undefined;
  },
): Promise<Response> {
  const error = asOAuthError(thrown);
  const reference = noteFailure(parts, error, options.endpoint);
  // Client authentication is not what happens here, so a client that is not known is a bad request like any other.
  const status = error.status === 401 || error.reason === "client_document_unreachable" ? 400 : error.status;
  if (!wantsPage(c)) {
    return errorJson(error, {}, status);
  }
  const response = await failurePage({
    brand: brandOf(parts.config),
    status,
    title: titleOf(error),
    description: error.description,
    account: options.account,
    cure: error.reason === "not_allowed" ? missingFromLists(parts.config.allow) : cureOf(error),
    steps: isForgotten(error) ? registerAnew : [],
    reference,
    links: options.links ?? [],
  });
  if (error.retryAfterSec !== undefined) response.headers.set("retry-after", String(error.retryAfterSec));
  return response;
}

/** How the users of clients that keep a dead registration get rid of it. */
const registerAnew = [
  "Claude: remove the connector and add it again",
  "Claude Code: open /mcp, choose the server, clear its authentication",
  "VS Code: run the command Authentication: Remove Dynamic Authentication Providers",
  "Cursor: remove the server from mcp.json, restart, and add it again",
  "mcp-remote: delete the folder ~/.mcp-auth",
];

function isForgotten(error: OAuthError): boolean {
  return error.code === "invalid_client" && !error.reason.startsWith("client_document_");
}

function titleOf(error: OAuthError): string {
  if (error.code === "access_denied") return "No access";
  return isForgotten(error) ? "This application is not known here" : "This did not work";
}

/** Browsers ask for HTML; programs do not. */
export function wantsPage(c: Context): boolean {
  return /\btext\/html\b/i.test(c.req.header("accept") ?? "");
}

/** The client's redirect URI with an authorization response (RFC 6749 section 4.1.2, RFC 9207). */
export function clientUrl(
  parts: BridgeParts,
  request: Pick<LoginRequest, "uri" | "state">,
  outcome: { code: string } | { error: OAuthError },
): string {
  const parameters = new URLSearchParams(
    "code" in outcome
      ? { code: outcome.code }
      : { error: outcome.error.code, error_description: outcome.error.description },
  );
  if (request.state !== undefined) parameters.set("state", request.state);
  parameters.set("iss", parts.config.baseUrl);
  const separator = request.uri.includes("?") ? "&" : "?";
  return request.uri + separator + parameters;
}

/** An error that a validated client gets: by redirect, or by a page where its scheme is not the web's. */
export async function errorToClient(
  parts: BridgeParts,
  request: Pick<LoginRequest, "uri" | "state">,
  thrown: unknown,
  endpoint: string,
): Promise<Response> {
  const error = asOAuthError(thrown);
  noteFailure(parts, error, endpoint);
  const url = clientUrl(parts, request, { error });
  if (isWebRedirect(url)) return redirect(url);
  return await continuePage({
    brand: brandOf(parts.config),
    title: "This did not work",
    text: `${error.description}.`,
    link: "Return to the application",
    url,
  });
}

/** 302, never stored. */
export function redirect(url: string): Response {
  const headers = {
    location: url,
    "cache-control": "no-store",
    pragma: "no-cache",
    "referrer-policy": "no-referrer",
  };
  return new Response(null, { status: 302, headers });
}
