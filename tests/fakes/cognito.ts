/** AWS Cognito as it is documented: fixed scopes, no `resource`, a confidential client, no refresh token at a refresh. */
import { startStrictIdp, type StrictIdp } from "./strict_idp.ts";

export interface CognitoOptions {
  clientId: string;
  clientSecret: string;
  userPoolId: string;
  groups?: readonly string[];
  /** Attributes from a federated provider come as words. */
  emailVerified?: boolean | "true" | "false";
  /** The size to which access tokens are blown up. */
  accessTokenBytes?: number;
}

/** The pool offers `phone`, but the app client does not allow it. */
const poolScopes = ["openid", "email", "phone", "profile"];
const clientScopes = ["openid", "email", "profile"];

export function startCognito(options: CognitoOptions): Promise<StrictIdp> {
  const { clientId, clientSecret, userPoolId, groups = ["staff"], emailVerified = true } = options;
  return startStrictIdp({
    issuerPath: `/${userPoolId}`,
    clientId,
    clientSecret,
    discovery: (_issuer, origin) => ({
      scopes_supported: poolScopes,
      revocation_endpoint: `${origin}/revoke`,
      token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
      response_types_supported: ["code", "token"],
    }),
    authorize(query) {
      const scopes = (query.get("scope") ?? "").split(" ").filter((scope) => scope !== "");
      const forbidden = scopes.filter((scope) => !clientScopes.includes(scope));
      return forbidden.length > 0 ? { error: "invalid_scope", description: forbidden.join(" ") } : undefined;
    },
    token(form, grant) {
      if (form.has("resource") || grant?.authorize.has("resource")) return { error: "invalid_grant" };
      // A login without a scope succeeds, and its code is good for nothing.
      return grant?.scopes.length === 0 ? { error: "invalid_grant" } : undefined;
    },
    givesRefreshToken: (form) => form.get("grant_type") === "authorization_code",
    idTokenClaims: () => ({
      sub: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
      token_use: "id",
      "cognito:username": "alice",
      "cognito:groups": groups,
      email: "alice@example.com",
      email_verified: emailVerified,
    }),
    accessToken: (grant, sign) =>
      sign({
        iss: "https://cognito.example",
        client_id: clientId,
        token_use: "access",
        ...(options.accessTokenBytes === undefined
          ? {}
          : { padding: "x".repeat(options.accessTokenBytes * 3 / 4) }),
        jti: crypto.randomUUID(),
        scope: grant.scopes.join(" "),
        sub: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
        exp: Math.floor(Date.now() / 1000) + 3600,
      }),
  });
}
