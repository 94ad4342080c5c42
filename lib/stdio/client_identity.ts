/**
 * Who we are at an authorization server, best first: the configured client, a metadata document of ours (CIMD), a
 * registration that we remember, a new registration (RFC 7591).
 */
import type { ClientCredential } from "../oauth/client_auth.ts";
import type { ServerMetadata } from "../oauth/server_metadata.ts";
import { type LoginContext, loginFailed } from "./login_context.ts";
import { credentialOf, register, rememberedRegistration } from "./registration.ts";

/** A client, and whether the server may have forgotten it since. */
export interface ClientIdentity {
  readonly credential: ClientCredential;
  readonly remembered: boolean;
}

/**
 * `redirectUris` are all that a login may come back to, the one in use first.
 * @throws UserError when the server takes none of what we have; OAuthFailure when registering fails.
 */
export async function identifyClient(
  context: LoginContext,
  server: ServerMetadata,
  redirectUris: readonly string[],
): Promise<ClientIdentity> {
  const fixed = configuredClient(context, server) ?? documentClient(context, server);
  if (fixed !== undefined) return { credential: fixed, remembered: false };
  const known = await rememberedRegistration(context, server.issuer);
  if (known?.redirectUris.includes(redirectUris[0] ?? "")) {
    return { credential: credentialOf(known), remembered: true };
  }
  if (server.registration_endpoint === undefined) {
    throw loginFailed(
      `${server.issuer} does not register clients by itself`,
      `Register a client there with the redirect URI ${redirectUris[0]} and set OIDC_CLIENT_ID (and ` +
        "OIDC_CLIENT_SECRET if it has one).",
    );
  }
  return { credential: credentialOf(await register(context, server, redirectUris)), remembered: false };
}

/** The client that a grant was given to; `undefined` when it is not known any more. */
export async function knownClient(
  context: LoginContext,
  server: ServerMetadata,
  clientId: string,
): Promise<ClientCredential | undefined> {
  const fixed = configuredClient(context, server) ?? documentClient(context, server);
  if (fixed !== undefined) return fixed.clientId === clientId ? fixed : undefined;
  const known = await rememberedRegistration(context, server.issuer);
  return known?.clientId === clientId ? credentialOf(known) : undefined;
}

/**
 * The configured client. With a configured issuer the secret goes into the body where the server takes that, as our
 * predecessors do it; a discovered server decides by its metadata.
 */
function configuredClient({ config }: LoginContext, server: ServerMetadata): ClientCredential | undefined {
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

/** The metadata document that the user published for us, where the server reads such documents. */
function documentClient({ config }: LoginContext, server: ServerMetadata): ClientCredential | undefined {
  if (config.clientMetadataUrl === undefined || server.client_id_metadata_document_supported !== true) {
    return undefined;
  }
  const { clientKey } = config;
  return { clientId: config.clientMetadataUrl, ...(clientKey === undefined ? {} : { clientKey }) };
}
