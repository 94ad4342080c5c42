import type { Context } from "hono";
import { asOAuthError, errorJson, noteFailure } from "./answers.ts";
import { isOurResource } from "./authorize_request.ts";
import { authenticateClient, usesBasic } from "./client_auth.ts";
import type { Client } from "./clients.ts";
import { failure } from "./failures.ts";
import { parameter, readForm } from "./forms.ts";
import { redeemAssertion } from "./grant_assertion.ts";
import { redeemCode } from "./grant_code.ts";
import { machineGrants, redeemCredentials } from "./grant_machine.ts";
import { RefreshGrant } from "./grant_refresh.ts";
import { tokenAnswer } from "./issue.ts";
import type { BridgeParts } from "./parts.ts";
import type { Revocations } from "./revocations.ts";
import type { IssuedTokens } from "./tickets.ts";

const singles = [
  "grant_type",
  "code",
  "redirect_uri",
  "client_id",
  "client_secret",
  "client_assertion",
  "client_assertion_type",
  "code_verifier",
  "refresh_token",
  "scope",
  "assertion",
];

type Redeem = (client: Client, form: URLSearchParams) => Promise<IssuedTokens>;

/** POST to the token endpoint (RFC 6749 section 3.2): who asks, then which grant. */
export function tokenStep(parts: BridgeParts, revocations: Revocations) {
  const refresh = new RefreshGrant(parts, revocations);
  const grants: Readonly<Record<string, Redeem>> = Object.assign(Object.create(null), {
    authorization_code: (client: Client, form: URLSearchParams) =>
      redeemCode(parts, revocations, client, form),
    refresh_token: (client: Client, form: URLSearchParams) => refresh.redeem(client, form),
    [machineGrants.clientCredentials]: (client: Client, form: URLSearchParams) =>
      redeemCredentials(parts, client, form),
    [machineGrants.assertion]: (client: Client, form: URLSearchParams) =>
      redeemAssertion(parts, client, form),
  });
  return async (c: Context): Promise<Response> => {
    try {
      const form = await readForm(c, singles);
      const redeem = grants[parameter(form, "grant_type") ?? ""];
      if (redeem === undefined) throw failure("grant_type_unsupported");
      const client = await authenticateClient(parts, c, form);
      // Every token is for the one resource there is, so a request may leave it out (as refreshes often do).
      if (form.getAll("resource").some((resource) => !isOurResource(resource, parts.config))) {
        throw failure("resource_unknown");
      }
      return tokenAnswer(parts, await redeem(client, form));
    } catch (error) {
      return clientError(parts, c, error, "token");
    }
  };
}

/** An error of an endpoint that clients authenticate at. */
export function clientError(parts: BridgeParts, c: Context, thrown: unknown, endpoint: string): Response {
  const error = asOAuthError(thrown);
  noteFailure(parts, error, endpoint);
  const challenge = error.code === "invalid_client" && usesBasic(c)
    ? { "www-authenticate": `Basic realm="${endpoint}"` }
    : {};
  return errorJson(error, challenge);
}
