/**
 * One table from cause to wire answer. The cause is what the log and the metrics say; the client and the person at
 * the browser see the fixed sentence only, never anything that was sent.
 */
import { OAuthError } from "../../oauth/errors.ts";

interface Row {
  readonly code: string;
  readonly description: string;
  /** Where the answer is not a redirect; default 400. */
  readonly status?: number;
  /** What a person should do, for the page. */
  readonly cure?: string;
}

const again = "Go back to the application and connect once more.";
const forgotten =
  "Your application uses a registration that this server does not know. Remove the connection in your application " +
  "and add it again, so that it registers anew. In Claude Code: /mcp, then clear authentication. In VS Code: run " +
  '"Authentication: Remove Dynamic Authentication Providers". mcp-remote: delete the folder ~/.mcp-auth.';
const wrongCaller =
  "This is a problem of the application that sent you here; tell its maker what this page says.";

const rows = {
  // What any endpoint may meet.
  body_too_large: { code: "invalid_request", description: "The request body is too large", status: 413 },
  body_malformed: { code: "invalid_request", description: "The request body cannot be read" },
  parameter_repeated: {
    code: "invalid_request",
    description: "A parameter must not be repeated",
    cure: wrongCaller,
  },
  query_not_allowed: {
    code: "invalid_request",
    description: "Parameters belong into the body, not into the URL",
  },
  replay_store_unavailable: {
    code: "temporarily_unavailable",
    description: "The server cannot answer now; try again in a moment",
    status: 503,
    cure: "Wait a moment and reload this page.",
  },
  internal: {
    code: "server_error",
    description: "The server could not handle the request",
    status: 500,
    cure: again,
  },

  // Registration.
  registration_malformed: {
    code: "invalid_client_metadata",
    description: "The registration is not a JSON object",
  },
  redirect_uris_missing: {
    code: "invalid_redirect_uri",
    description: "redirect_uris must be a list with an entry",
  },
  redirect_uris_too_many: { code: "invalid_redirect_uri", description: "redirect_uris has too many entries" },
  redirect_uri_refused: {
    code: "invalid_redirect_uri",
    description:
      "No redirect URI is allowed here: use https, http on loopback, or an allowed private-use scheme",
  },
  client_name_invalid: {
    code: "invalid_client_metadata",
    description: "client_name is too long or has control characters",
  },
  auth_method_unsupported: {
    code: "invalid_client_metadata",
    description: "token_endpoint_auth_method must be none, client_secret_post or client_secret_basic",
  },
  grant_types_unsupported: {
    code: "invalid_client_metadata",
    description: "grant_types must have authorization_code, response_types must have code",
  },

  // Who the client is.
  client_id_missing: { code: "invalid_request", description: "client_id is missing", cure: wrongCaller },
  client_id_invalid: {
    code: "invalid_client",
    description: "The client is not known",
    status: 401,
    cure: forgotten,
  },
  client_key_unknown: {
    code: "invalid_client",
    description: "The client is not known",
    status: 401,
    cure: forgotten,
  },
  client_typ_mismatch: {
    code: "invalid_client",
    description: "The client is not known",
    status: 401,
    cure: forgotten,
  },
  client_audience_mismatch: {
    code: "invalid_client",
    description: "The client is not registered at this server",
    status: 401,
    cure: forgotten,
  },
  client_registration_expired: {
    code: "invalid_client",
    description: "The registration of the client has ended",
    status: 401,
    cure: forgotten,
  },
  client_document_refused: {
    code: "invalid_client",
    description: "The address of the client metadata document is not acceptable",
    status: 401,
    cure: wrongCaller,
  },
  client_document_invalid: {
    code: "invalid_client",
    description: "The client metadata document is not acceptable",
    status: 401,
    cure: wrongCaller,
  },
  client_document_unreachable: {
    code: "invalid_client",
    description: "The client metadata document cannot be fetched",
    status: 401,
    cure: again,
  },
  client_auth_twice: { code: "invalid_request", description: "Use one way of client authentication only" },
  client_auth_missing: { code: "invalid_client", description: "The client must authenticate", status: 401 },
  client_auth_failed: { code: "invalid_client", description: "Client authentication failed", status: 401 },

  // The authorization request.
  redirect_uri_missing: {
    code: "invalid_request",
    description: "redirect_uri is missing",
    cure: wrongCaller,
  },
  redirect_uri_mismatch: {
    code: "invalid_request",
    description: "redirect_uri is not one that the client has registered",
    cure: wrongCaller,
  },
  response_type_unsupported: { code: "unsupported_response_type", description: "response_type must be code" },
  response_mode_unsupported: { code: "invalid_request", description: "response_mode must be query" },
  request_object: { code: "request_not_supported", description: "Request objects are not supported" },
  request_uri: { code: "request_uri_not_supported", description: "Request URIs are not supported" },
  resource_unknown: { code: "invalid_target", description: "The resource is not served here" },
  pkce_missing: { code: "invalid_request", description: "code_challenge is missing" },
  pkce_method: { code: "invalid_request", description: "code_challenge_method must be S256" },
  pkce_malformed: { code: "invalid_request", description: "code_challenge is malformed" },
  state_missing: { code: "invalid_request", description: "state is missing" },
  state_too_long: { code: "invalid_request", description: "state is too long" },
  scope_malformed: { code: "invalid_scope", description: "scope is malformed" },

  // The consent page.
  consent_missing: { code: "invalid_request", description: "The form is incomplete", cure: again },
  consent_invalid: { code: "invalid_request", description: "The form is not valid", cure: again },
  consent_expired: { code: "invalid_request", description: "The page was open for too long", cure: again },
  consent_other_browser: {
    code: "access_denied",
    description: "The form was not opened in this browser",
    status: 403,
    cure: "Sign in with the browser in which you began, and allow its cookies. " + again,
  },

  // The way back from the IdP.
  login_state_missing: {
    code: "invalid_request",
    description: "The answer of the sign-in is incomplete",
    cure: again,
  },
  login_state_invalid: {
    code: "invalid_request",
    description: "The answer of the sign-in is not valid",
    cure: again,
  },
  login_state_expired: { code: "invalid_request", description: "The sign-in took too long", cure: again },
  login_other_browser: {
    code: "invalid_request",
    description: "The sign-in was not begun in this browser",
    cure: "Sign in with the browser in which you began, and allow its cookies. " + again,
  },
  callback_state_replay: {
    code: "invalid_request",
    description: "This answer of the sign-in was used before",
    cure: "Begin the sign-in again.",
  },
  idp_exchange_throttled: {
    code: "temporarily_unavailable",
    description: "Too many sign-ins at once; try again in a moment",
    status: 503,
    cure: "Wait a moment and begin the sign-in again.",
  },
  idp_unavailable: {
    code: "temporarily_unavailable",
    description: "The identity provider cannot be reached",
    status: 503,
    cure: "Wait a moment and begin the sign-in again.",
  },
  idp_refused: {
    code: "server_error",
    description: "The identity provider refused the sign-in",
    status: 502,
  },
  id_token_verification_failed: {
    code: "server_error",
    description: "The answer of the identity provider is not valid",
    status: 502,
  },
  subject_missing: {
    code: "access_denied",
    description: "The identity provider did not name the user",
    status: 403,
  },
  email_not_verified: {
    code: "access_denied",
    description: "The e-mail address is not verified",
    status: 403,
  },
  group_invalid: {
    code: "access_denied",
    description: "A group name has characters that are not allowed",
    status: 403,
  },
  not_allowed: { code: "access_denied", description: "This account may not use this server", status: 403 },
  consent_denied: { code: "access_denied", description: "The request was denied", status: 403 },

  // The token endpoint.
  grant_type_unsupported: {
    code: "unsupported_grant_type",
    description: "grant_type must be authorization_code or refresh_token",
  },
  token_parameter_missing: { code: "invalid_request", description: "A required parameter is missing" },
  verifier_malformed: { code: "invalid_request", description: "code_verifier is malformed" },
  code_invalid: { code: "invalid_grant", description: "The authorization code is not valid" },
  code_expired: { code: "invalid_grant", description: "The authorization code has expired" },
  code_client_mismatch: { code: "invalid_grant", description: "The authorization code is not valid" },
  code_redirect_mismatch: { code: "invalid_grant", description: "redirect_uri is not that of the request" },
  code_verifier_mismatch: { code: "invalid_grant", description: "code_verifier does not match" },
  code_replay: { code: "invalid_grant", description: "The authorization code was used before" },
  code_tokens_lost: { code: "invalid_grant", description: "The sign-in is gone; begin again" },
  refresh_invalid: { code: "invalid_grant", description: "The refresh token is not valid" },
  refresh_expired: { code: "invalid_grant", description: "The refresh token has expired" },
  refresh_client_mismatch: { code: "invalid_grant", description: "The refresh token is not valid" },
  refresh_reuse_detected: { code: "invalid_grant", description: "The refresh token was used before" },
  refresh_family_revoked: { code: "invalid_grant", description: "The login was revoked" },
  refresh_revoked: { code: "invalid_grant", description: "The login was revoked" },
  refresh_not_allowed: { code: "invalid_grant", description: "This account may not use this server" },
  refresh_idp_dead: { code: "invalid_grant", description: "The identity provider has ended the login" },
  refresh_idp_unavailable: {
    code: "temporarily_unavailable",
    description: "The identity provider cannot be reached",
    status: 503,
  },
  scope_exceeded: { code: "invalid_scope", description: "More scopes were asked for than were granted" },

  // The resource endpoint.
  invalid_token: { code: "invalid_token", description: "The access token is not valid", status: 401 },
  token_expired: { code: "invalid_token", description: "The access token has expired", status: 401 },
  audience_mismatch: {
    code: "invalid_token",
    description: "The access token is not for this server",
    status: 401,
  },
  resource_mismatch: {
    code: "invalid_token",
    description: "The access token is not for this resource",
    status: 401,
  },
  token_revoked: { code: "invalid_token", description: "The access token was revoked", status: 401 },
  token_revoked_iat_cutoff: {
    code: "invalid_token",
    description: "The access token was revoked",
    status: 401,
  },
  scope_insufficient: {
    code: "insufficient_scope",
    description: "The access token lacks a scope",
    status: 403,
  },
} as const satisfies Record<string, Row>;

/** A cause, as log and metrics name it. */
export type Cause = keyof typeof rows;

/** The error for a cause. */
export function failure(
  cause: Cause,
  options: { error?: unknown; retryAfterSec?: number } = {},
): OAuthError {
  const row: Row = rows[cause];
  const status = row.status ?? 400;
  return new OAuthError(row.code, row.description, {
    status,
    reason: cause,
    ...(status === 503 ? { retryAfterSec: options.retryAfterSec ?? 2 } : {}),
    ...(options.error === undefined ? {} : { cause: options.error }),
  });
}

/** What a person may do about it; `undefined` where only the application can. */
export function cureOf(error: OAuthError): string | undefined {
  return Object.hasOwn(rows, error.reason) ? (rows[error.reason as Cause] as Row).cure : undefined;
}
