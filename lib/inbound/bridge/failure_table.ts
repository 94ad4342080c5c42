/** The rows of `failures.ts`: status where the answer is not a redirect, code, description, what a person may do. */
export type FailureRow = readonly [status: number, code: string, description: string, cure?: string];

const again = "Go back to the application and connect once more.";
const forgotten = "Its registration is not one that this server has given out. Let it register anew:";
const wrongCaller =
  "This is a problem of the application that sent you here; tell its maker what this page says.";
const sameBrowser = `Sign in with the browser in which you began, and allow its cookies. ${again}`;
const waitThenBegin = "Wait a moment and begin the sign-in again.";

/** By cause. */
export const failureTable = {
  // What any endpoint may meet.
  body_too_large: [413, "invalid_request", "The request body is too large"],
  body_malformed: [400, "invalid_request", "The request body cannot be read"],
  parameter_repeated: [400, "invalid_request", "A parameter must not be repeated", wrongCaller],
  query_not_allowed: [400, "invalid_request", "Parameters belong into the body, not into the URL"],
  replay_store_unavailable: [
    503,
    "temporarily_unavailable",
    "The server cannot answer now; try again in a moment",
    "Wait a moment and reload this page.",
  ],
  internal: [500, "server_error", "The server could not handle the request", again],

  // Registration.
  registration_malformed: [400, "invalid_client_metadata", "The registration is not a JSON object"],
  redirect_uri_refused: [
    400,
    "invalid_redirect_uri",
    "No redirect URI is on the list; the operator can add its host to REDIRECT_HOSTS or its scheme to REDIRECT_SCHEMES",
  ],
  client_name_invalid: [400, "invalid_client_metadata", "client_name is too long or has control characters"],
  auth_method_unsupported: [
    400,
    "invalid_client_metadata",
    "token_endpoint_auth_method must be none, client_secret_post or client_secret_basic",
  ],
  grant_types_unsupported: [
    400,
    "invalid_client_metadata",
    "grant_types must have authorization_code, response_types must have code",
  ],

  // Who the client is.
  client_id_missing: [400, "invalid_request", "client_id is missing", wrongCaller],
  client_id_invalid: [401, "invalid_client", "The client is not known", forgotten],
  client_key_unknown: [401, "invalid_client", "The client is not known", forgotten],
  client_typ_mismatch: [401, "invalid_client", "The client is not known", forgotten],
  client_audience_mismatch: [401, "invalid_client", "The client is not registered at this server", forgotten],
  client_registration_expired: [401, "invalid_client", "The registration of the client has ended", forgotten],
  client_document_refused: [
    401,
    "invalid_client",
    "The address of the client metadata document is not acceptable",
    wrongCaller,
  ],
  client_document_invalid: [
    401,
    "invalid_client",
    "The client metadata document is not acceptable",
    wrongCaller,
  ],
  client_document_unreachable: [
    503,
    "temporarily_unavailable",
    "The client metadata document cannot be fetched",
    again,
  ],
  client_auth_twice: [400, "invalid_request", "Use one way of client authentication only"],
  client_auth_missing: [401, "invalid_client", "The client must authenticate"],
  client_auth_failed: [401, "invalid_client", "Client authentication failed"],

  // The authorization request.
  redirect_uri_missing: [400, "invalid_request", "redirect_uri is missing", wrongCaller],
  redirect_uri_mismatch: [
    400,
    "invalid_request",
    "redirect_uri is not one that the client has registered",
    wrongCaller,
  ],
  response_type_unsupported: [400, "unsupported_response_type", "response_type must be code"],
  response_mode_unsupported: [400, "invalid_request", "response_mode must be query"],
  request_object: [400, "request_not_supported", "Request objects are not supported"],
  request_uri: [400, "request_uri_not_supported", "Request URIs are not supported"],
  resource_unknown: [400, "invalid_target", "The resource is not served here"],
  pkce_missing: [400, "invalid_request", "code_challenge is missing"],
  pkce_method: [400, "invalid_request", "code_challenge_method must be S256"],
  pkce_malformed: [400, "invalid_request", "code_challenge is malformed"],
  state_missing: [400, "invalid_request", "state is missing"],
  state_too_long: [400, "invalid_request", "state is too long"],
  scope_malformed: [400, "invalid_scope", "scope is malformed"],

  // The consent page.
  consent_missing: [400, "invalid_request", "The form is incomplete", again],
  consent_invalid: [400, "invalid_request", "The form is not valid", again],
  consent_expired: [400, "invalid_request", "The page was open for too long", again],
  consent_other_browser: [403, "access_denied", "The form was not opened in this browser", sameBrowser],

  // The way back from the IdP.
  login_state_missing: [400, "invalid_request", "The answer of the sign-in is incomplete", again],
  login_state_invalid: [400, "invalid_request", "The answer of the sign-in is not valid", again],
  login_state_expired: [400, "invalid_request", "The sign-in took too long", again],
  login_other_browser: [400, "invalid_request", "The sign-in was not begun in this browser", sameBrowser],
  callback_state_replay: [
    400,
    "invalid_request",
    "This answer of the sign-in was used before",
    "Begin the sign-in again.",
  ],
  idp_exchange_throttled: [
    503,
    "temporarily_unavailable",
    "Too many sign-ins at once; try again in a moment",
    waitThenBegin,
  ],
  idp_unavailable: [503, "temporarily_unavailable", "The identity provider cannot be reached", waitThenBegin],
  idp_refused: [502, "server_error", "The identity provider refused the sign-in"],
  id_token_verification_failed: [502, "server_error", "The answer of the identity provider is not valid"],
  subject_missing: [403, "access_denied", "The identity provider did not name the user"],
  email_not_verified: [403, "access_denied", "The e-mail address is not verified"],
  wrong_organization: [403, "access_denied", "This server is for accounts of another organization"],
  group_invalid: [403, "access_denied", "A group name has characters that are not allowed"],
  not_allowed: [403, "access_denied", "This account may not use this server"],
  consent_denied: [403, "access_denied", "The request was denied"],

  // The token endpoint.
  grant_type_unsupported: [
    400,
    "unsupported_grant_type",
    "grant_type is not one that is supported here",
  ],
  grant_not_allowed: [400, "unauthorized_client", "The client may not use this grant"],
  token_parameter_missing: [400, "invalid_request", "A required parameter is missing"],
  verifier_malformed: [400, "invalid_request", "code_verifier is malformed"],
  code_invalid: [400, "invalid_grant", "The authorization code is not valid"],
  code_expired: [400, "invalid_grant", "The authorization code has expired"],
  code_client_mismatch: [400, "invalid_grant", "The authorization code is not valid"],
  code_redirect_mismatch: [400, "invalid_grant", "redirect_uri is not that of the request"],
  code_verifier_mismatch: [400, "invalid_grant", "code_verifier does not match"],
  code_replay: [400, "invalid_grant", "The authorization code was used before"],
  code_tokens_lost: [400, "invalid_grant", "The sign-in is gone; begin again"],
  refresh_invalid: [400, "invalid_grant", "The refresh token is not valid"],
  refresh_expired: [400, "invalid_grant", "The refresh token has expired"],
  refresh_client_mismatch: [400, "invalid_grant", "The refresh token is not valid"],
  refresh_reuse_detected: [400, "invalid_grant", "The refresh token was used before"],
  refresh_family_revoked: [400, "invalid_grant", "The login was revoked"],
  refresh_revoked: [400, "invalid_grant", "The login was revoked"],
  refresh_not_allowed: [400, "invalid_grant", "This account may not use this server"],
  refresh_idp_dead: [400, "invalid_grant", "The identity provider has ended the login"],
  refresh_idp_unavailable: [503, "temporarily_unavailable", "The identity provider cannot be reached"],
  assertion_invalid: [400, "invalid_grant", "The assertion is not valid"],
  assertion_replay: [400, "invalid_grant", "The assertion was used before"],
  assertion_not_allowed: [400, "invalid_grant", "This account may not use this server"],
  scope_exceeded: [400, "invalid_scope", "More scopes were asked for than were granted"],

  // The resource endpoint.
  invalid_token: [401, "invalid_token", "The access token is not valid"],
  token_expired: [401, "invalid_token", "The access token has expired"],
  audience_mismatch: [401, "invalid_token", "The access token is not for this server"],
  resource_mismatch: [401, "invalid_token", "The access token is not for this resource"],
  token_revoked: [401, "invalid_token", "The access token was revoked"],
  token_revoked_iat_cutoff: [401, "invalid_token", "The access token was revoked"],
  scope_insufficient: [403, "insufficient_scope", "The access token lacks a scope"],
} as const satisfies Record<string, FailureRow>;
