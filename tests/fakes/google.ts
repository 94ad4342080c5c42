/** Google as it is documented: offline access by parameter, opaque access tokens, no scope that it does not know. */
import { startStrictIdp, type StrictIdp } from "./strict_idp.ts";

const knownScopes = [
  "openid",
  "email",
  "profile",
  "https://www.googleapis.com/auth/userinfo.email",
  "https://www.googleapis.com/auth/userinfo.profile",
];

export interface GoogleOptions {
  clientId: string;
  clientSecret: string;
  /** The domain of the account; absent: a private one. */
  hostedDomain?: string;
  email?: string;
  /** The user agreed before, so that without `prompt=consent` there is no refresh token any more. */
  agreedBefore?: boolean;
}

export function startGoogle(options: GoogleOptions): Promise<StrictIdp> {
  const { clientId, clientSecret, hostedDomain, email = "alice@example.com", agreedBefore = false } = options;
  return startStrictIdp({
    issuerPath: "",
    idTokenIssuer: "accounts.google.com",
    clientId,
    clientSecret,
    discovery: (_issuer, origin) => ({
      revocation_endpoint: `${origin}/revoke`,
      scopes_supported: ["openid", "email", "profile"],
      token_endpoint_auth_methods_supported: ["client_secret_post", "client_secret_basic"],
      code_challenge_methods_supported: ["plain", "S256"],
    }),
    authorize(query) {
      const scopes = (query.get("scope") ?? "").split(" ").filter((scope) => scope !== "");
      if (scopes.length === 0) {
        return { error: "invalid_request", description: "Missing required parameter: scope", page: true };
      }
      const unknown = scopes.filter((scope) => !knownScopes.includes(scope));
      if (unknown.length > 0) {
        return {
          error: "invalid_scope",
          description: `Some requested scopes were invalid: ${unknown}`,
          page: true,
        };
      }
      if (!["online", "offline", null].includes(query.get("access_type"))) {
        return { error: "invalid_request", page: true };
      }
      const prompts = (query.get("prompt") ?? "").split(" ").filter((word) => word !== "");
      if (!prompts.every((word) => ["none", "consent", "select_account"].includes(word))) {
        return { error: "invalid_request", description: "Invalid parameter value for prompt", page: true };
      }
      return undefined;
    },
    token: () => undefined,
    givesRefreshToken: (form, { authorize }) =>
      form.get("grant_type") === "authorization_code" && authorize.get("access_type") === "offline" &&
      (!agreedBefore || (authorize.get("prompt") ?? "").split(" ").includes("consent")),
    idTokenClaims: () => ({
      azp: clientId,
      sub: "110169484474386276334",
      email,
      email_verified: true,
      name: "Alice \u00c4ls\u00e9n \u{1F98A}",
      ...(hostedDomain === undefined ? {} : { hd: hostedDomain }),
    }),
    accessToken: () => `ya29.${crypto.randomUUID()}`,
    answer: (grant) => ({
      scope: grant.scopes.map((scope) =>
        ["email", "profile"].includes(scope) ? `https://www.googleapis.com/auth/userinfo.${scope}` : scope
      ).join(" "),
    }),
  });
}
