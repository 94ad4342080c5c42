import type { Logger } from "../base/log.ts";
import type { ServerMetadata } from "../oauth/server_metadata.ts";
import type { RemoteConfig } from "./config.ts";

/** Something that keeps MCP clients from using an IdP by themselves. */
export interface Shortcoming {
  readonly reason: string;
  readonly detail: string;
}

/** What an IdP's metadata lacks for MCP clients that are sent to it. */
export function shortcomings(metadata: ServerMetadata, config: RemoteConfig): Shortcoming[] {
  const found: Shortcoming[] = [];
  const methods = metadata.code_challenge_methods_supported;
  if (methods === undefined || !methods.includes("S256")) {
    found.push({
      reason: "no_pkce",
      detail: "code_challenge_methods_supported does not list S256: clients must refuse such a server",
    });
  }
  const canRegister = metadata.registration_endpoint !== undefined ||
    metadata.client_id_metadata_document_supported === true || config.staticClient !== undefined;
  if (!canRegister) {
    found.push({
      reason: "no_registration",
      detail:
        "neither registration_endpoint nor client_id_metadata_document_supported: no client can register",
    });
  }
  if (metadata.authorization_endpoint === undefined || metadata.token_endpoint === undefined) {
    found.push({ reason: "no_endpoints", detail: "authorization_endpoint or token_endpoint is missing" });
  }
  if (config.provider === "jwt" && metadata.authorization_response_iss_parameter_supported === true) {
    found.push({
      reason: "issuer_in_response",
      detail:
        "the IdP names itself in authorization responses, and clients that compare that with our rewritten " +
        "issuer refuse it",
    });
  }
  return found;
}

/** Says at start, once, what is missing and what would help. */
export function warnOfShortcomings(metadata: ServerMetadata, config: RemoteConfig, log: Logger): void {
  for (const { reason, detail } of shortcomings(metadata, config)) {
    const hint = reason === "issuer_in_response"
      ? "with the inbound provider keycloak clients are sent to the IdP itself; oidc bridges it for every client"
      : "the inbound provider oidc bridges such an IdP";
    log.warn("idp_not_ready_for_mcp_clients", { issuer: metadata.issuer, reason, detail, hint });
  }
  if (config.staticClient !== undefined) {
    log.warn("static_client_is_public", {
      client: config.staticClient.clientId,
      detail: "whoever asks at the registration endpoint is given this client's secret",
      hint:
        "allow nothing but your clients' redirect URIs for it at the IdP; oidc keeps the secret to itself",
    });
  }
}
