import type { Context } from "hono";
import { countRefusal, errorAnswer, errorToClient, redirect } from "./answers.ts";
import { parseAuthorizeRequest, parseRedirectUri, stateOf } from "./authorize_request.ts";
import { browserHash, newBrowser, readBrowser, rememberBrowser } from "./browser.ts";
import { findClient } from "./clients.ts";
import { showConsent } from "./consent_form.ts";
import { failure } from "./failures.ts";
import { parameter, readQuery, repeatedOf } from "./forms.ts";
import { funnelOf } from "./funnel.ts";
import { beginLogin } from "./idp_login.ts";
import type { BridgeParts } from "./parts.ts";
import type { LoginRequest } from "./tickets.ts";

const endpoint = "authorize";

/** Parameters of OpenID Connect that a client may send but that have no meaning toward our IdP. */
const oidcParameters = [
  "prompt",
  "id_token_hint",
  "login_hint",
  "acr_values",
  "claims",
  "display",
  "ui_locales",
  "max_age",
  "nonce",
];

const ourParameters = [
  "client_id",
  "redirect_uri",
  "response_type",
  "response_mode",
  "scope",
  "state",
  "code_challenge",
  "code_challenge_method",
  "resource",
];

/**
 * GET of an authorization request (RFC 6749 section 4.1.1): judges it and shows the consent page. Leaves nothing
 * behind but the browser's cookie, and needs none, since clients look at this address before the user does.
 */
export async function authorize(parts: BridgeParts, c: Context): Promise<Response> {
  const query = readQuery(c);
  let request: Pick<LoginRequest, "client" | "name" | "uri" | "state">;
  try {
    // Until client and redirect URI are known to belong together, nothing is sent to that URI.
    const repeated = repeatedOf(query, ["client_id", "redirect_uri"]);
    if (repeated !== undefined) throw repeated;
    const clientId = parameter(query, "client_id");
    if (clientId === undefined) throw failure("client_id_missing");
    const client = await findClient(parts, clientId);
    const state = stateOf(query);
    request = {
      client: client.key,
      uri: parseRedirectUri(query, client),
      ...(client.name === undefined ? {} : { name: client.name }),
      ...(state === undefined ? {} : { state }),
    };
  } catch (error) {
    return await errorAnswer(parts, c, error, { endpoint });
  }
  try {
    const login = { ...request, ...parseAuthorizeRequest(query, parts.config) };
    noteDropped(parts, query);
    // A client without state is let in where the operator allows it, but counted all the same.
    if (request.state === undefined) countRefusal(parts, failure("state_missing"));
    return await begin(parts, c, login);
  } catch (error) {
    return await errorToClient(parts, request, error, endpoint);
  }
}

async function begin(parts: BridgeParts, c: Context, request: LoginRequest): Promise<Response> {
  const { config, counters } = parts;
  funnelOf(parts).step("authorize", request.name);
  const browser = await readBrowser(parts, c) ?? newBrowser();
  const hash = await browserHash(browser);
  if (config.renderConsentPage) {
    const response = await showConsent(parts, { request, browser: hash, account: browser.account });
    await rememberBrowser(parts, response, browser);
    counters.add("mcp_auth_authorize_initiated_total", { path: "consent" });
    return response;
  }
  const response = redirect((await beginLogin(parts, { request, browser: hash, tries: 0 })).href);
  await rememberBrowser(parts, response, browser);
  counters.add("mcp_auth_authorize_initiated_total", { path: "silent" });
  return response;
}

function noteDropped(parts: BridgeParts, query: URLSearchParams): void {
  if (!parts.log.enabled("debug")) return;
  for (const name of new Set(query.keys())) {
    if (ourParameters.includes(name)) continue;
    const known = oidcParameters.includes(name);
    // A name that is not ours came from outside and could be anything.
    parts.log.debug("authorize_param_dropped", {
      kind: known ? "oidc_extension_not_forwarded" : "unknown",
      ...(known ? { value: name } : {}),
    });
  }
}
