import type { Context } from "hono";
import { asOAuthError, errorJson, noteFailure } from "./answers.ts";
import { isOurResource } from "./authorize_request.ts";
import { authenticateClient, usesBasic } from "./client_auth.ts";
import { failure } from "./failures.ts";
import { parameter, readForm } from "./forms.ts";
import { redeemCode } from "./grant_code.ts";
import { RefreshGrant } from "./grant_refresh.ts";
import { tokenAnswer } from "./issue.ts";
import type { BridgeParts } from "./parts.ts";
import type { Revocations } from "./revocations.ts";

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
];

/** POST to the token endpoint (RFC 6749 section 3.2): who asks, then which grant. */
export function tokenStep(parts: BridgeParts, revocations: Revocations) {
  const refresh = new RefreshGrant(parts, revocations);
  return async (c: Context): Promise<Response> => {
    try {
      const form = await readForm(c, singles);
      const grantType = parameter(form, "grant_type");
      if (grantType !== "authorization_code" && grantType !== "refresh_token") {
        throw failure("grant_type_unsupported");
      }
      const client = await authenticateClient(parts, c, form);
      // Every token is for the one resource there is, so a request may leave it out (as refreshes often do).
      if (form.getAll("resource").some((resource) => !isOurResource(resource, parts.config))) {
        throw failure("resource_unknown");
      }
      const tokens = grantType === "refresh_token"
        ? await refresh.redeem(client, form)
        : await redeemCode(parts, revocations, client, form);
      return tokenAnswer(parts, tokens);
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
