import { randomText } from "../../base/bytes.ts";
import { parseScope } from "../../oauth/scope.ts";
import type { Client } from "./clients.ts";
import { failure } from "./failures.ts";
import { parameter } from "./forms.ts";
import { issueTokens } from "./issue.ts";
import type { BridgeParts } from "./parts.ts";
import type { GrantIdentity, IssuedTokens } from "./tickets.ts";

/** The grants without a user at a browser, by what the token request calls them. */
export const machineGrants = {
  clientCredentials: "client_credentials",
  assertion: "urn:ietf:params:oauth:grant-type:jwt-bearer",
} as const;

/**
 * A machine that acts for itself (RFC 6749 section 4.4). The operator has registered it, which is what lets it in; the
 * allow-lists are about people. @throws OAuthError
 */
export async function redeemCredentials(
  parts: BridgeParts,
  client: Client,
  form: URLSearchParams,
): Promise<IssuedTokens> {
  requireGrant(client, machineGrants.clientCredentials);
  const name = client.name === undefined ? {} : { name: client.name };
  const identity = { subject: client.key, ...name, groups: [], claims: {}, machine: true as const };
  return await issueAccess(parts, client, { identity, scopes: askedScopes(form, client.scopes ?? []) });
}

/** @throws OAuthError `unauthorized_client` unless the operator gave the client this grant. */
export function requireGrant(client: Client, grantType: string): void {
  if (client.auth === "none" || !client.grantTypes?.includes(grantType)) throw failure("grant_not_allowed");
}

/** What is asked for, or all that may be had. @throws OAuthError `invalid_scope` */
export function askedScopes(form: URLSearchParams, allowed: readonly string[]): readonly string[] {
  const asked = parseScope(parameter(form, "scope"));
  if (asked.some((scope) => !allowed.includes(scope))) throw failure("scope_exceeded");
  return asked.length === 0 ? allowed : asked;
}

/** An access token and nothing to refresh it with: whoever got it can ask again. */
export async function issueAccess(
  parts: BridgeParts,
  client: Client,
  who: { readonly identity: GrantIdentity; readonly scopes: readonly string[] },
): Promise<IssuedTokens> {
  const { config, clock, counters, log } = parts;
  const grant = {
    id: randomText(12),
    client: client.key,
    ...(client.name === undefined ? {} : { clientName: client.name }),
    scopes: who.scopes,
    resource: config.resource,
    originMs: clock.now(),
  };
  const withoutRefresh = { ...parts, config: { ...config, refreshTtlMs: 0 } };
  const { tokens } = await issueTokens(withoutRefresh, grant, { identity: who.identity, idp: null });
  counters.add("mcp_auth_tokens_issued_total", { grant_type: "machine" });
  log.info("token_issued", {
    subject: who.identity.subject,
    client: client.key,
    grant: grant.id,
    kind: "machine",
  });
  return tokens;
}
