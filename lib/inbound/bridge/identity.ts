import type { Identity, IdpTokens } from "../../idp/idp.ts";
import { isAllowed } from "../allow.ts";
import type { BridgeConfig } from "../config.ts";
import { type Cause, failure } from "./failures.ts";
import type { BridgeParts } from "./parts.ts";
import type { GrantIdentity, HeldIdpTokens } from "./tickets.ts";

/** Claims that speak of the id_token rather than of the user, or that are carried under a name of their own. */
const leftOut = new Set([
  "iss",
  "aud",
  "azp",
  "exp",
  "nbf",
  "iat",
  "jti",
  "nonce",
  "at_hash",
  "c_hash",
  "s_hash",
  "sid",
  "rat",
  "typ",
  "session_state",
  "sub",
  "email",
  "email_verified",
  "name",
]);

/** What is kept of an identity. */
export function grantIdentity(identity: Identity, config: Pick<BridgeConfig, "idp">): GrantIdentity {
  const { subject, email, emailVerified, name, groups, claims } = identity;
  const kept = Object.entries(claims).filter(([claim]) =>
    !leftOut.has(claim) && claim !== config.idp.groupsClaim
  );
  return {
    subject,
    ...(email === undefined ? {} : { email }),
    ...(emailVerified === undefined ? {} : { emailVerified }),
    ...(name === undefined ? {} : { name }),
    groups,
    claims: Object.fromEntries(kept),
  };
}

/** Why this user may not come in, if so. */
export function refuseIdentity(
  identity: GrantIdentity,
  config: Pick<BridgeConfig, "allow">,
): Cause | undefined {
  if (identity.subject === "") return "subject_missing";
  if (identity.machine === true) return undefined;
  if (identity.emailVerified === false) return "email_not_verified";
  // Groups go on as a comma-separated header.
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  if (identity.groups.some((group) => /[,\u0000-\u001f\u007f]/.test(group))) return "group_invalid";
  return isAllowed(identity, config.allow) ? undefined : "not_allowed";
}

/** As `refuseIdentity`, for a login. @throws OAuthError `access_denied` */
export function requireAllowed(parts: BridgeParts, identity: Identity): GrantIdentity {
  if (identity.groupsMalformed) {
    parts.counters.add("mcp_auth_groups_claim_shape_mismatch_total");
    parts.log.warn("groups_claim_shape_mismatch", {
      subject: identity.subject,
      key: parts.config.idp.groupsClaim,
    });
  }
  const kept = grantIdentity(identity, parts.config);
  const refusal = refuseIdentity(kept, parts.config);
  if (refusal !== undefined) throw failure(refusal);
  return kept;
}

/** What is kept of the IdP's tokens: its access token only where it is handed on. */
export function heldTokens(parts: BridgeParts, tokens: IdpTokens): HeldIdpTokens {
  return {
    ...(parts.config.tokenFollowsIdp ? { accessToken: tokens.accessToken } : {}),
    ...(tokens.refreshToken === undefined ? {} : { refreshToken: tokens.refreshToken }),
    ...(tokens.expiresAtMs === undefined ? {} : { expiresAtMs: tokens.expiresAtMs }),
    ...(tokens.refreshExpiresAtMs === undefined ? {} : { refreshExpiresAtMs: tokens.refreshExpiresAtMs }),
    checkedAtMs: parts.clock.now(),
  };
}
