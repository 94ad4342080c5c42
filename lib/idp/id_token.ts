/** Who logged in, by the IdP's id_token (OpenID Connect Core section 3.1.3.7) and what the provider adds to it. */
import { TokenRefused, type TokenRules, type VerifyToken } from "../crypto/access_token.ts";
import { KeysUnavailable } from "../crypto/jwks.ts";
import type { IdpConfig } from "./config.ts";
import { type Identity, IdpError, WrongOrganization } from "./idp.ts";
import { identityOf } from "./identity.ts";

/** The claims of a good id_token. `nonce` absent: not checked, as at a refresh. @throws IdpError */
export async function verifyIdToken(
  idToken: string,
  rules: { config: IdpConfig; issuer: string; verify: VerifyToken; nonce?: string },
): Promise<Readonly<Record<string, unknown>>> {
  const { config, issuer, verify, nonce } = rules;
  const tokenRules: TokenRules = {
    kind: "id",
    issuers: [issuer, ...(config.quirks.alsoIssuers ?? [])],
    audiences: [config.clientId],
    ...(nonce === undefined ? {} : { nonce }),
  };
  let claims: Readonly<Record<string, unknown>>;
  try {
    claims = await verify(idToken, tokenRules);
  } catch (error) {
    if (error instanceof TokenRefused) {
      const reason = error.reason === "nonce" ? "nonce_mismatch" : `id_token_${error.reason}`;
      throw new IdpError("dead", reason, `The IdP's id_token was refused: ${error.reason}`, error);
    }
    if (error instanceof KeysUnavailable) {
      throw new IdpError("transient", "keys_unavailable", error.message, error);
    }
    throw error;
  }
  requireClaim(claims, "tid", config.quirks.tenantId, "tenant_mismatch");
  requireClaim(claims, "hd", config.quirks.hostedDomain, "hosted_domain_mismatch");
  return claims;
}

/** Not the e-mail's suffix but the IdP's own word on where the account belongs. */
function requireClaim(
  claims: Readonly<Record<string, unknown>>,
  name: string,
  wanted: string | undefined,
  reason: string,
): void {
  if (wanted === undefined) return;
  const found = claims[name];
  if (typeof found === "string" && found.toLowerCase() === wanted.toLowerCase()) return;
  const message = `The IdP's id_token names another ${name} than the configured one`;
  const account = [claims.email, claims.preferred_username].find((value) => typeof value === "string");
  throw new WrongOrganization(reason, message, account);
}

/** Whether userinfo could add what the id_token leaves out. */
export function wantsUserinfo(claims: Readonly<Record<string, unknown>>, config: IdpConfig): boolean {
  const identity = identityOf(claims, config.groupsClaim);
  const lacksEmail = identity.email === undefined && config.scopes.includes("email");
  const lacksName = identity.name === undefined && config.scopes.includes("profile");
  const lacksGroups = identity.groups.length === 0 && identity.groupsMalformed !== true &&
    config.scopes.some((scope) => scope === "groups" || scope === "roles");
  return lacksEmail || lacksName || lacksGroups;
}

/** The id_token's claims with those of userinfo that it lacks; the id_token's own always win. */
export function mergedIdentity(
  claims: Readonly<Record<string, unknown>>,
  userinfo: Readonly<Record<string, unknown>> | undefined,
  config: IdpConfig,
): Identity {
  const identity = identityOf(claims, config.groupsClaim);
  // OpenID Connect Core section 5.3.2: userinfo about somebody else must not be used.
  if (userinfo === undefined || String(userinfo.sub) !== identity.subject) return identity;
  // Verification and address come together or not at all.
  const emailParts = claims.email === undefined
    ? { email: userinfo.email, email_verified: userinfo.email_verified }
    : { email: claims.email, email_verified: claims.email_verified };
  return identityOf({ ...userinfo, ...claims, ...emailParts }, config.groupsClaim);
}
