import { isCodeVerifier } from "../../oauth/pkce.ts";
import { matchesResource } from "../../oauth/resource.ts";
import { isScopeToken, narrowScopes, parseScope } from "../../oauth/scope.ts";
import type { BridgeConfig } from "../config.ts";
import type { Client } from "./clients.ts";
import { failure } from "./failures.ts";
import { parameter, repeatedOf } from "./forms.ts";
import type { LoginRequest } from "./tickets.ts";

/** The longest `state` that is carried, in characters. */
export const maxStateLength = 2_048;

const singles = [
  "response_type",
  "response_mode",
  "code_challenge",
  "code_challenge_method",
  "state",
  "scope",
  "request",
  "request_uri",
];

/** What a request says besides its client and redirect URI, which come first and decide who gets the error. */
export function parseAuthorizeRequest(
  query: URLSearchParams,
  config: BridgeConfig,
): Pick<LoginRequest, "challenge" | "scopes"> {
  const repeated = repeatedOf(query, singles);
  if (repeated !== undefined) throw repeated;
  if (query.has("request")) throw failure("request_object");
  if (query.has("request_uri")) throw failure("request_uri");
  if (parameter(query, "response_type") !== "code") throw failure("response_type_unsupported");
  if ((parameter(query, "response_mode") ?? "query") !== "query") throw failure("response_mode_unsupported");
  if (query.getAll("resource").some((resource) => !isOurResource(resource, config))) {
    throw failure("resource_unknown");
  }
  const challenge = parseChallenge(query, config);
  const state = parameter(query, "state");
  if (state === undefined && config.stateRequired) throw failure("state_missing");
  if (state !== undefined && state.length > maxStateLength) throw failure("state_too_long");
  return { scopes: grantedScopes(query, config), ...(challenge === undefined ? {} : { challenge }) };
}

/** The state to hand back; what is too long or repeated is not. */
export function stateOf(query: URLSearchParams): string | undefined {
  const [state, ...more] = query.getAll("state");
  return state === "" || more.length > 0 || (state ?? "").length > maxStateLength ? undefined : state;
}

/** The redirect URI of the request, judged. @throws OAuthError that must not be sent to it */
export function parseRedirectUri(query: URLSearchParams, client: Client): string {
  const uri = parameter(query, "redirect_uri") ?? client.onlyUri;
  if (uri === undefined) throw failure("redirect_uri_missing");
  if (!client.allowsUri(uri)) throw failure("redirect_uri_mismatch");
  return uri;
}

/** Any spelling of what is served here: the MCP URL, or the base URL. */
export function isOurResource(resource: string, config: Pick<BridgeConfig, "resource" | "baseUrl">): boolean {
  return matchesResource(resource, config.resource) || matchesResource(resource, config.baseUrl);
}

function parseChallenge(query: URLSearchParams, config: BridgeConfig): string | undefined {
  const challenge = parameter(query, "code_challenge");
  const method = parameter(query, "code_challenge_method");
  if (challenge === undefined) {
    if (config.pkceRequired) throw failure("pkce_missing");
    if (method !== undefined) throw failure("pkce_malformed");
    return undefined;
  }
  if (method !== "S256") throw failure("pkce_method");
  if (!isCodeVerifier(challenge)) throw failure("pkce_malformed");
  return challenge;
}

/** Unknown scopes are left out instead of refused (RFC 6749 section 3.3); a request without any gets them all. */
function grantedScopes(query: URLSearchParams, config: BridgeConfig): readonly string[] {
  const text = parameter(query, "scope") ?? "";
  if (text.length > 2_048 || text.split(" ").some((scope) => scope !== "" && !isScopeToken(scope))) {
    throw failure("scope_malformed");
  }
  const narrowed = narrowScopes(parseScope(text), config.scopesSupported);
  return narrowed.length === 0 ? config.scopesSupported : narrowed;
}
