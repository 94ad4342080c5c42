/**
 * Being registered by an authorization server (RFC 7591). A registration is kept for each issuer, never shown to
 * another, and made again when the server has forgotten it.
 */
import type { AuthMethod, ClientCredential } from "../oauth/client_auth.ts";
import type { ServerMetadata } from "../oauth/server_metadata.ts";
import type { LoginContext } from "./login_context.ts";
import type { Registration, TokenCache } from "./token_cache.ts";

/** The registration with this issuer, unless its secret has ended. */
export async function rememberedRegistration(
  { cache, clock }: LoginContext,
  issuer: string,
): Promise<Registration | undefined> {
  const found = await cache.use((access) => access.registration(issuer));
  const ended = found?.secretExpiresAtMs !== undefined && found.secretExpiresAtMs <= clock.now();
  return found?.issuer === issuer && !ended ? found : undefined;
}

/** Registers us and remembers it. @throws OAuthFailure with the server's own words. */
export async function register(
  context: LoginContext,
  server: ServerMetadata,
  redirectUris: readonly string[],
): Promise<Registration> {
  const { registerClient } = await import("../oauth/client.ts");
  const answer = await registerClient(context, server, {
    client_name: "mcp-doorman",
    redirect_uris: redirectUris,
    grant_types: grantTypes(context),
    response_types: ["code"],
    token_endpoint_auth_method: wantedMethod(server),
    application_type: "native",
  });
  const { client_secret: secret, client_secret_expires_at: expiresAt, token_endpoint_auth_method: method } =
    answer;
  const registration: Registration = {
    issuer: server.issuer,
    clientId: answer.client_id,
    redirectUris,
    ...(typeof secret === "string" && secret !== "" ? { clientSecret: secret } : {}),
    ...(typeof method === "string" ? { authMethod: method } : {}),
    ...(typeof expiresAt === "number" && expiresAt > 0 ? { secretExpiresAtMs: expiresAt * 1_000 } : {}),
  };
  await context.cache.use((access) => access.putRegistration(server.issuer, registration));
  context.log.info("client_registered", { issuer: server.issuer, client: registration.clientId });
  return registration;
}

/** Throws a registration away that the server does not know any more, unless it is a newer one already. */
export async function forgetRegistration(
  context: LoginContext,
  issuer: string,
  clientId: string,
): Promise<void> {
  await context.cache.use(async (access) => {
    const found = await access.registration(issuer);
    if (found?.clientId === clientId) await access.deleteRegistration(issuer);
  });
  context.log.warn("registration_forgotten", { issuer, client: clientId, hint: "It is made again." });
}

/** Clients that a server has shown to know, by the cache (and so the credentials) that they were used with. */
const confirmed = new WeakMap<TokenCache, Set<string>>();

/** The server has just accepted this client, so that it need not be asked whether it knows it. */
export function confirmClient({ cache }: LoginContext, clientId: string): void {
  confirmed.set(cache, (confirmed.get(cache) ?? new Set()).add(clientId));
}

/**
 * Whether an authorization server shows an error page for this client, instead of a login. Asked once for a client
 * that another process registered, since a person in front of an error page cannot tell us.
 */
export async function isForgotten(
  context: LoginContext,
  authorizeUrl: URL,
  clientId: string,
): Promise<boolean> {
  if (confirmed.get(context.cache)?.has(clientId)) return false;
  try {
    const { signal } = context;
    const response = await context.http.fetch(authorizeUrl, { redirect: "manual", timeoutMs: 5_000, signal });
    await response.body?.cancel();
    return response.status === 400 || response.status === 401;
  } catch {
    context.signal.throwIfAborted();
    return false;
  }
}

/** The client that a registration stands for. */
export function credentialOf({ clientId, clientSecret, authMethod }: Registration): ClientCredential {
  const method = methods.find((known) => known === authMethod);
  return {
    clientId,
    ...(clientSecret === undefined ? {} : { clientSecret }),
    ...(method === undefined ? {} : { authMethod: method }),
  };
}

const methods: readonly AuthMethod[] = ["none", "client_secret_basic", "client_secret_post"];

/** A program on a desktop keeps no secret (RFC 8252 section 8.5), unless the server insists on one. */
function wantedMethod(server: ServerMetadata): AuthMethod {
  const supported = server.token_endpoint_auth_methods_supported;
  return supported === undefined ? "none" : methods.find((method) => supported.includes(method)) ?? "none";
}

function grantTypes({ config }: LoginContext): readonly string[] {
  const device = config.grant === "device_code" ? ["urn:ietf:params:oauth:grant-type:device_code"] : [];
  return ["authorization_code", "refresh_token", ...device];
}
