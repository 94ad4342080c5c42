/** A token for the program itself (RFC 6749 section 4.4): a secret or a signed assertion, and nobody to ask. */
import { identifyClient } from "./client_identity.ts";
import type { LoginResult } from "./login.ts";
import { type Door, type LoginContext, loginFailed } from "./login_context.ts";

/** @throws UserError when no client is configured; OAuthFailure when the server refuses. */
export async function clientCredentials(context: LoginContext, door: Door): Promise<LoginResult> {
  const { config } = context;
  if (config.clientId === undefined || (config.clientSecret ?? config.clientKey) === undefined) {
    throw loginFailed(
      "the grant client_credentials needs a client of its own",
      "Set OIDC_CLIENT_ID and OIDC_CLIENT_SECRET or OIDC_CLIENT_KEY.",
    );
  }
  const { credential: client } = await identifyClient(context, door.server, []);
  const { tokenRequest } = await import("../oauth/client.ts");
  const optional: readonly (readonly [string, string | undefined])[] = [
    ["scope", scopesOf(context, door).join(" ") || undefined],
    ["resource", door.resource],
    ["audience", config.audience],
  ];
  const parameters = optional.flatMap(([name, value]) => value === undefined ? [] : [[name, value] as const]);
  const tokens = await tokenRequest(context, {
    server: door.server,
    client,
    grantType: "client_credentials",
    parameters,
  });
  return { tokens, client };
}

/** `openid` and its like are about a person; without a setting they are not asked for here. */
function scopesOf({ config }: LoginContext, door: Door): readonly string[] {
  return config.issuerUrl === undefined ? door.scopes : config.scopes ?? [];
}
