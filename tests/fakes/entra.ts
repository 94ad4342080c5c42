/** Microsoft Entra as it is documented: no `resource`, qualified scopes of one API, refresh tokens for `offline_access`. */
import { type DownstreamApi, onBehalfOf } from "./entra_on_behalf_of.ts";
import { startStrictIdp, type StrictIdp } from "./strict_idp.ts";

const openIdScopes = ["openid", "profile", "email", "offline_access"];

export interface EntraOptions {
  clientId: string;
  clientSecret: string;
  tenantId: string;
  /** Default `api://<client id>`. */
  identifierUri?: string;
  /** Scopes that the API exposes, without prefix. */
  apiScopes?: readonly string[];
  /** id_tokens as of an app that was never switched to v2. */
  v1?: boolean;
  /** The `tid` of the user's token, if it is a guest's. */
  tokenTenantId?: string;
  groups?: readonly string[];
  /** More groups than fit: the claim is left out. */
  overage?: boolean;
  withoutEmail?: boolean;
  /** Another API, for which the app may have tokens on behalf of its users. */
  downstream?: DownstreamApi;
}

export function startEntra(options: EntraOptions): Promise<StrictIdp> {
  const { clientId, tenantId } = options;
  const api = options.identifierUri ?? `api://${clientId}`;
  const apiScopes = (options.apiScopes ?? []).map((scope) => `${api}/${scope}`);

  const scopeRefusal = (scopes: readonly string[]) => {
    if (scopes.length === 0) return { error: "invalid_request", description: "AADSTS900144: missing scope" };
    const others = scopes.filter((scope) => !openIdScopes.includes(scope));
    for (const scope of others) {
      if (!scope.includes("/")) {
        return { error: "invalid_client", description: `AADSTS650053: no scope '${scope}' on Graph` };
      }
      if (!scope.startsWith(`${api}/`)) {
        return { error: "invalid_resource", description: "AADSTS500011: no such resource" };
      }
      if (!apiScopes.includes(scope) && scope !== `${api}/.default`) {
        return { error: "invalid_client", description: `AADSTS650053: no scope '${scope}'` };
      }
    }
    return undefined;
  };

  return startStrictIdp({
    issuerPath: `/${tenantId}/v2.0`,
    paths: { authorize: `/${tenantId}/oauth2/v2.0/authorize`, token: `/${tenantId}/oauth2/v2.0/token` },
    otherGrant: onBehalfOf({ ...options, ownAudiences: [clientId, api] }),
    ...(options.v1 ? { idTokenIssuer: `https://sts.windows.net/${tenantId}/` } : {}),
    clientId,
    clientSecret: options.clientSecret,
    discovery: () => ({
      scopes_supported: openIdScopes,
      token_endpoint_auth_methods_supported: ["client_secret_post", "private_key_jwt", "client_secret_basic"],
      response_modes_supported: ["query", "fragment", "form_post"],
    }),
    authorize(query) {
      if (query.has("resource")) {
        return {
          error: "invalid_target",
          description: "AADSTS9010010: resource does not match the requested scopes",
        };
      }
      return scopeRefusal((query.get("scope") ?? "").split(" ").filter((scope) => scope !== ""));
    },
    token(form) {
      if (form.has("resource")) {
        return { error: "invalid_request", description: "AADSTS901002: resource is not supported" };
      }
      const scope = form.get("scope");
      return scope === null ? undefined : scopeRefusal(scope.split(" "));
    },
    givesRefreshToken: (_form, grant) => grant.scopes.includes("offline_access"),
    idTokenClaims: () => ({
      ver: options.v1 ? "1.0" : "2.0",
      sub: "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ",
      oid: "00000000-0000-0000-66f3-3332eca7ea81",
      tid: options.tokenTenantId ?? tenantId,
      preferred_username: "alice@contoso.example",
      name: "Alice Contoso",
      ...(options.withoutEmail ? {} : { email: "alice@contoso.example" }),
      ...(options.overage
        ? {
          _claim_names: { groups: "src1" },
          _claim_sources: { src1: { endpoint: "https://graph.example" } },
        }
        : { groups: options.groups ?? [] }),
    }),
    accessToken: (grant, sign) => {
      const scp = grant.scopes.filter((scope) => scope.startsWith(`${api}/`)).map((scope) =>
        scope.slice(api.length + 1)
      );
      const nowSec = Math.floor(Date.now() / 1000);
      return sign({
        iss: `https://sts.windows.net/${tenantId}/`,
        aud: api,
        oid: "00000000-0000-0000-66f3-3332eca7ea81",
        uti: crypto.randomUUID(),
        scp: scp.join(" "),
        exp: nowSec + 3600,
        nbf: nowSec,
      });
    },
    answer: (grant) => ({
      scope: grant.scopes.filter((scope) => scope !== "offline_access").join(" "),
      ext_expires_in: 3600,
    }),
  });
}
