/** A new grant, by the way that the configuration chooses. */
import { type Grant, type GrantOrigin, knownOfToken } from "./grant.ts";
import { OAuthFailure } from "../oauth/failure.ts";
import { logToken } from "../oauth/shown_token.ts";
import { type Door, type LoginContext, loginFailed } from "./login_context.ts";
import type { LoginResult } from "./login.ts";
import { grantOf } from "./new_grant.ts";
import { noteTokenEvent } from "./token_log.ts";

/** @throws UserError, OAuthFailure */
export async function logIn(context: LoginContext, door: Door): Promise<Grant> {
  const { config, log, upstreamUrl } = context;
  const { tokens, client, how } = await grantBy(context, door).catch((error) => {
    if (!door.guessed || !(error instanceof OAuthFailure)) throw error;
    throw loginFailed(
      `${upstreamUrl.host} wants a credential and publishes nothing about how to get one`,
      'If it takes a fixed key, give it with --header "Name: value".',
      error,
    );
  });
  const grant = grantOf(context, tokens, {
    upstream: upstreamUrl.href,
    issuer: door.server.issuer,
    clientId: client.clientId,
    profile: config.profile,
    scopesAsked: door.scopes,
    ...(door.resource === undefined ? {} : { resource: door.resource }),
    how,
  });
  noteTokenEvent(context, "logged_in");
  log.info("logged_in", { issuer: grant.issuer, grant: how });
  logToken(log, "token", grant.accessToken, knownOfToken(grant));
  if (how !== "client_credentials" && grant.refreshToken === undefined && grant.expiresAtMs !== undefined) {
    log.warn("no_refresh_token", {
      issuer: grant.issuer,
      expiresAt: new Date(grant.expiresAtMs).toISOString(),
      hint: "You will be asked to log in again then; the server may want the scope offline_access.",
    });
  }
  return grant;
}

async function grantBy(context: LoginContext, door: Door): Promise<LoginResult & { how: GrantOrigin }> {
  switch (context.config.grant) {
    case "client_credentials": {
      const { clientCredentials } = await import("./client_credentials.ts");
      return { ...await clientCredentials(context, door), how: "client_credentials" };
    }
    case "device_code": {
      const { deviceLogin } = await import("./device.ts");
      return { ...await deviceLogin(context, door), how: "device" };
    }
    case "authorization_code": {
      const { browserLogin } = await import("./login.ts");
      return { ...await browserLogin(context, door), how: "browser" };
    }
  }
}
