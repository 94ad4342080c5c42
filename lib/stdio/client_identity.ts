/** Who we are at an authorization server: the configured client, else a metadata document of ours, else registered. */
import type { ClientCredential } from "../oauth/client_auth.ts";
import type { ServerMetadata } from "../oauth/server_metadata.ts";
import { type LoginContext, loginFailed } from "./login_context.ts";

/** @throws UserError when the server takes none of what we have. */
export function identifyClient(
  context: LoginContext,
  server: ServerMetadata,
  _redirectUri: string,
): Promise<ClientCredential> {
  const configured = configuredClient(context, server);
  if (configured !== undefined) return Promise.resolve(configured);
  throw loginFailed(
    `${server.issuer} knows no client of ours`,
    "Register a client there and set OIDC_CLIENT_ID.",
  );
}

/** The client that a grant was given to; `undefined` when it is not known any more. */
export function knownClient(
  context: LoginContext,
  server: ServerMetadata,
  clientId: string,
): Promise<ClientCredential | undefined> {
  const configured = configuredClient(context, server);
  return Promise.resolve(configured?.clientId === clientId ? configured : undefined);
}

/**
 * The configured client. With a configured issuer the secret goes into the body where the server takes that, as our
 * predecessors do it; a discovered server decides by its metadata.
 */
export function configuredClient(
  { config }: LoginContext,
  server: ServerMetadata,
): ClientCredential | undefined {
  if (config.clientId === undefined) return undefined;
  const methods = server.token_endpoint_auth_methods_supported ?? ["client_secret_post"];
  const post = config.issuerUrl !== undefined && config.clientKey === undefined &&
    config.clientSecret !== undefined && methods.includes("client_secret_post");
  return {
    clientId: config.clientId,
    ...(config.clientSecret === undefined ? {} : { clientSecret: config.clientSecret }),
    ...(config.clientKey === undefined ? {} : { clientKey: config.clientKey }),
    ...(post ? { authMethod: "client_secret_post" as const } : {}),
  };
}
