import type { BridgeConfig } from "../config.ts";
import { endpoints } from "./parts.ts";

const authMethods = ["none", "client_secret_post", "client_secret_basic"];
const signingAlgorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
];

/** What we say of ourselves as an authorization server (RFC 8414 section 2). */
export function serverMetadata(config: BridgeConfig, offers: { readonly documents: boolean }) {
  const at = endpoints(config);
  const own = (of: "jwks" | "grantTypes") => config.staticClients.flatMap((client) => client[of] ?? []);
  const keys = offers.documents || own("jwks").length > 0;
  const methods = keys ? [...authMethods, "private_key_jwt"] : authMethods;
  const algorithms = keys ? signingAlgorithms : undefined;
  return {
    issuer: config.baseUrl,
    authorization_endpoint: at.authorize,
    token_endpoint: at.token,
    registration_endpoint: at.register,
    revocation_endpoint: at.revoke,
    scopes_supported: config.scopesSupported,
    response_types_supported: ["code"],
    response_modes_supported: ["query"],
    grant_types_supported: [...new Set(["authorization_code", "refresh_token", ...own("grantTypes")])],
    authorization_grant_profiles_supported: config.assertionIssuers === undefined
      ? undefined
      : ["urn:ietf:params:oauth:grant-profile:id-jag"],
    token_endpoint_auth_methods_supported: methods,
    token_endpoint_auth_signing_alg_values_supported: algorithms,
    revocation_endpoint_auth_methods_supported: methods,
    revocation_endpoint_auth_signing_alg_values_supported: algorithms,
    code_challenge_methods_supported: ["S256"],
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: offers.documents,
  };
}
