/** Trading a refresh token for a new access token (RFC 6749 section 6), and judging what comes back. */
import { describeError } from "../base/errors.ts";
import { isClientRefused, OAuthFailure } from "../oauth/failure.ts";
import { logToken } from "../oauth/shown_token.ts";
import { knownClient } from "./client_identity.ts";
import { serverOf } from "./discovery.ts";
import { type Grant, knownOfToken } from "./grant.ts";
import type { LoginContext } from "./login_context.ts";
import { grantOf } from "./new_grant.ts";
import { forgetRegistration } from "./registration.ts";
import { noteTokenEvent } from "./token_log.ts";

/**
 * The refreshed grant; `kept` when there is nothing to refresh, `over` when the server says that the grant is gone,
 * whose refresh token is then out of the cache. The caller holds the lock of the grant.
 * @throws OAuthFailure, UserError when nothing could be learnt; the cache is as it was.
 */
export async function refresh(
  context: LoginContext,
  old: Grant | undefined,
): Promise<Grant | "kept" | "over"> {
  if (old?.refreshToken === undefined) return "kept";
  const { config, cache, log } = context;
  try {
    const server = await serverOf(context, old.issuer);
    const client = await knownClient(context, server, old.clientId);
    if (client === undefined) return "kept";
    const { tokenRequest } = await import("../oauth/client.ts");
    const resource = old.resource === undefined ? [] : [["resource", old.resource] as const];
    const tokens = await tokenRequest(context, {
      server,
      client,
      grantType: "refresh_token",
      parameters: [["refresh_token", old.refreshToken], ...resource],
    });
    const grant = grantOf(context, tokens, old);
    logToken(log, "token_refreshed", grant.accessToken, knownOfToken(grant));
    noteTokenEvent(context, "refreshed");
    return grant;
  } catch (error) {
    // Only the token endpoint's own word ends a grant; metadata that is missing today may be back tomorrow.
    const final = error instanceof OAuthFailure && error.kind === "dead" && error.status !== undefined;
    if (!final || (isClientRefused(error) && config.clientId !== undefined)) {
      noteTokenEvent(context, "refresh_failed", describeError(error));
      throw error;
    }
    noteTokenEvent(context, "refresh_refused", error.message);
    log.warn("refresh_refused", { issuer: old.issuer, reason: error.reason, cause: error.message });
    if (isClientRefused(error)) await forgetRegistration(context, old.issuer, old.clientId);
    const { refreshToken: _over, ...rest } = old;
    await cache.use((access) => access.putGrant(context.key, rest));
    return "over";
  }
}
