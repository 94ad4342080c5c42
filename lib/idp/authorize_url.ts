/** The URL at which the user logs in with the IdP. */
import { endpointUrl } from "../oauth/endpoint_url.ts";
import type { ServerMetadata } from "../oauth/server_metadata.ts";
import type { IdpConfig } from "./config.ts";
import { type IdpAuthorizeRequest, IdpError } from "./idp.ts";

/** @throws IdpError when the metadata names no endpoint that a browser may be sent to. */
export function buildAuthorizeUrl(
  metadata: ServerMetadata,
  config: IdpConfig,
  request: IdpAuthorizeRequest,
): URL {
  const url = endpointUrl(metadata.authorization_endpoint, { allowHttp: config.allowInsecureHttp });
  if (url === undefined) {
    throw new IdpError(
      "transient",
      "bad_endpoint",
      "The IdP's metadata has no usable authorization endpoint",
    );
  }
  const offline = request.hasRefreshToken === true ? [] : config.quirks.offlineParameters ?? [];
  const extra = [...config.authorizeParameters, ...offline];
  for (const [name, value] of extra) url.searchParams.set(name, value);
  const prompts = new Set(
    extra.filter(([name]) => name === "prompt").flatMap(([, value]) => value.split(" ")),
  );
  if (request.selectAccount === true) prompts.add(chooseAccount(metadata, config));
  // OpenID Connect Core section 3.1.2.1: `none` stands alone.
  if (prompts.size > 0 && !prompts.has("none")) url.searchParams.set("prompt", [...prompts].join(" "));
  if (config.audience !== undefined && config.provider === "oidc") {
    url.searchParams.set("audience", config.audience);
  }
  // After the operator's, which must not replace what the login's safety rests on.
  const own = {
    response_type: "code",
    client_id: config.clientId,
    redirect_uri: request.redirectUri,
    scope: config.scopes.join(" "),
    state: request.state,
    nonce: request.nonce,
    code_challenge: request.codeChallenge,
    code_challenge_method: "S256",
  };
  for (const [name, value] of Object.entries(own)) url.searchParams.set(name, value);
  return url;
}

/** An IdP that does not know `select_account` may refuse the login for it; `login` is known to all and asks again. */
function chooseAccount(metadata: ServerMetadata, config: IdpConfig): string {
  const known = config.provider === "google" || config.provider === "azure" ||
    metadata.prompt_values_supported?.includes("select_account") === true;
  return known ? "select_account" : "login";
}
