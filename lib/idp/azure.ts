/**
 * Microsoft Entra: API scopes are sent fully qualified and shown without their prefix; `offline_access` brings the
 * refresh token; `resource` is never sent; token requests repeat the scopes. Issuers are those of v2 and, for apps
 * that were never switched over, of v1. The tenant is pinned: `common` and its like let every organisation in.
 */
import type { IdpQuirks } from "./config.ts";
import { baseConfig, requireIssuer, requireSettings } from "./preset_parts.ts";
import type { IdpPreset } from "./presets.ts";

const openIdScopes = ["openid", "profile", "email", "offline_access"];
const sharedTenants = ["common", "organizations", "consumers"];
const guid = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";

/** `azure` */
export const azure: IdpPreset = {
  name: "azure",
  build(settings, problems) {
    const before = problems.length;
    const tenant = settings.azureTenantId?.toLowerCase() ?? "";
    requireSettings(
      "azure",
      { AZURE_TENANT_ID: settings.azureTenantId, OIDC_CLIENT_ID: settings.clientId },
      problems,
    );
    if (sharedTenants.includes(tenant)) {
      problems.push(
        `AZURE_TENANT_ID must be one tenant's id or domain, found "${tenant}", which stands for all of them`,
      );
    } else if (tenant !== "" && !/^[a-z0-9][a-z0-9.-]*$/.test(tenant)) {
      problems.push(`AZURE_TENANT_ID must be a tenant's id or domain, found "${tenant}"`);
    }
    const authority = (settings.azureAuthority ?? "https://login.microsoftonline.com").replace(/\/+$/, "");
    requireIssuer("AZURE_AUTHORITY", authority, settings, problems);
    if (problems.length > before) return undefined;
    const prefix = `${settings.azureIdentifierUri ?? `api://${settings.clientId}`}/`;
    const api = (settings.scopes ?? []).filter((scope) => !openIdScopes.includes(scope))
      .map((scope) => scope.includes("/") ? scope : prefix + scope);
    const issuerUrl = settings.issuerUrl ?? `${authority}/${tenant}/v2.0`;
    return {
      ...baseConfig("azure", issuerUrl, settings, [...openIdScopes, ...api]),
      quirks: {
        scopePrefix: prefix,
        // Two resources in one request are refused: with an API scope, the token is asked for that API.
        scopeInTokenRequest: true,
        ...tenantQuirks(tenant, authority),
      },
    };
  },
};

/** A tenant's documents name it by its id, however it is addressed. */
function tenantQuirks(tenant: string, authority: string): IdpQuirks {
  if (new RegExp(`^${guid}$`).test(tenant)) {
    return { tenantId: tenant, alsoIssuers: [`https://sts.windows.net/${tenant}/`] };
  }
  const escaped = authority.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return { issuerPattern: new RegExp(`^${escaped}/${guid}/v2\\.0$`) };
}
