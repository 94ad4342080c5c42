/**
 * A client brings an assertion of a trusted IdP about one of its users (Identity Assertion Authorization Grant, on top
 * of RFC 7523), so that the user is not asked anything.
 *
 *     client authenticated, and allowed this grant -> signature, issuer, audience = us, type, times
 *       -> client_id = this client, resource = ours -> used once -> allow-lists -> access token, no refresh token
 */
import type { TokenClaims } from "../../crypto/access_token.ts";
import { TokenRefused } from "../../crypto/access_token.ts";
import { KeysUnavailable } from "../../crypto/jwks.ts";
import { IdpError } from "../../idp/idp.ts";
import { identityOf } from "../../idp/identity.ts";
import { parseLooseScope } from "../../oauth/scope.ts";
import { isOurResource } from "./authorize_request.ts";
import type { Client } from "./clients.ts";
import { failure } from "./failures.ts";
import { parameter } from "./forms.ts";
import { askedScopes, issueAccess, machineGrants, requireGrant } from "./grant_machine.ts";
import { grantIdentity, refuseIdentity } from "./identity.ts";
import type { BridgeParts } from "./parts.ts";
import type { IssuedTokens } from "./tickets.ts";
import { useOnce } from "./used.ts";

/** Verifies an assertion of any of the trusted IdPs. @throws TokenRefused, KeysUnavailable, IdpError */
export type VerifyAssertion = (assertion: string) => Promise<TokenClaims>;

/** An assertion that lives for longer would have to be remembered for as long. */
const maxLifeMs = 3_600_000;

/** @throws OAuthError, StoreUnavailable */
export async function redeemAssertion(
  parts: BridgeParts,
  client: Client,
  form: URLSearchParams,
): Promise<IssuedTokens> {
  requireGrant(client, machineGrants.assertion);
  const assertion = parameter(form, "assertion");
  if (assertion === undefined) throw failure("token_parameter_missing");
  const claims = await verified(parts, assertion);
  const leftMs = (claims.exp ?? 0) * 1_000 - parts.clock.now();
  if (claims.client_id !== client.key || leftMs > maxLifeMs) throw failure("assertion_invalid");
  if (typeof claims.resource !== "string" || !isOurResource(claims.resource, parts.config)) {
    throw failure("assertion_invalid");
  }
  const identity = grantIdentity(identityOf(claims, parts.config.idp.groupsClaim), parts.config);
  const scopes = askedScopes(form, parseLooseScope(claims.scope) ?? parts.config.scopesSupported);
  if (!await useOnce(parts.store, "assertion", `${claims.iss} ${claims.jti}`, leftMs)) {
    parts.counters.add("mcp_auth_replay_detected_total", { kind: "assertion" });
    throw failure("assertion_replay");
  }
  if (refuseIdentity(identity, parts.config) !== undefined) throw failure("assertion_not_allowed");
  return await issueAccess(parts, client, { identity, scopes });
}

async function verified({ assertions }: BridgeParts, assertion: string): Promise<TokenClaims> {
  if (assertions === undefined) throw failure("grant_not_allowed");
  try {
    const claims = await assertions(assertion);
    if (typeof claims.jti !== "string" || claims.jti === "") throw failure("assertion_invalid");
    return claims;
  } catch (error) {
    if (error instanceof KeysUnavailable || (error instanceof IdpError && error.kind === "transient")) {
      throw failure("idp_unavailable", { error });
    }
    if (error instanceof TokenRefused) throw failure("assertion_invalid", { error });
    throw error;
  }
}
