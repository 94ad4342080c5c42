import type { IdpConfig } from "../../idp/config.ts";
import type { BridgeConfig, FrontConfig } from "../../inbound/config.ts";
import { present } from "../present.ts";
import type { Reading } from "../reading.ts";
import { idpConfig } from "./idp.ts";

/** Our own authorization server in front of the provider; `undefined` when the provider lacks something. */
export function bridgeConfig(
  reading: Reading,
  front: FrontConfig,
  provider: IdpConfig["provider"],
  outbound: string,
): BridgeConfig | undefined {
  const { values, dialect } = reading;
  const idp = idpConfig(reading, provider);
  if (idp === undefined) return undefined;
  return present({
    ...front,
    shape: "bridge" as const,
    scopesSupported: values.scopesSupported ?? shownScopes(idp),
    idp,
    paths: { register: dialect.registerPath, callback: dialect.callbackPath },
    tokenFollowsIdp: outbound === "forward" || outbound === "token-exchange",
    codeTtlMs: values.codeTtlMs,
    loginTtlMs: values.loginTtlMs,
    accessTtlMs: values.accessTtlMs,
    refreshTtlMs: values.refreshTtlMs,
    grantTtlMs: values.grantTtlMs,
    clientTtlMs: values.clientTtlMs,
    refreshGraceMs: values.refreshGraceSec * 1000,
    revokeBeforeMs: values.revokeBeforeMs,
    renderConsentPage: values.renderConsentPage,
    pkceRequired: values.pkceRequired,
    // PKCE does what state is for (OAuth 2.1 section 4.1.1), and SDK clients send none unless the program adds it.
    stateRequired: !values.allowStateless && (dialect.name === "babs" || !values.pkceRequired),
    prodMode: values.prodMode,
    staticClients: values.staticClients,
    assertionIssuers: values.assertionIssuers,
    redirectHosts: values.redirectHosts,
    redirectSchemes: values.redirectSchemes,
    cimd: { enabled: values.cimdEnabled, allowLoopback: values.cimdAllowLoopback },
    idpExchange: { ratePerSec: values.idpExchangeRate, burst: values.idpExchangeBurst },
    logoText: values.logoText ?? initials(values.proxyName ?? values.resourceName ?? "mcp-doorman"),
  });
}

/** The scopes as clients know them. */
function shownScopes({ scopes, quirks }: IdpConfig): readonly string[] {
  const prefix = quirks.scopePrefix;
  if (prefix === undefined) return scopes;
  return scopes.map((scope) => scope.startsWith(prefix) ? scope.slice(prefix.length) : scope);
}

/** Up to two initials. */
function initials(name: string): string {
  const words = name.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== "");
  return words.slice(0, 2).map((word) => [...word][0]?.toUpperCase() ?? "").join("") || "M";
}
