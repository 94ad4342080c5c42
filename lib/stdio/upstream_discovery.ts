/**
 * Finding the authorization server of an upstream that answered 401 (MCP authorization, RFC 9728, RFC 8414):
 *
 *     the challenge's resource_metadata, else the well-known places of the upstream -> the resource's document
 *         -> does it speak for this upstream? -> its first authorization server -> that server's metadata, by issuer
 *     no document at all: an upstream of 2025-03, which is its own authorization server
 *
 * Everything here comes from somebody else. What breaks a rule ends the login; nothing is asked or opened after it.
 */
import { type Challenge, findBearerChallenge } from "../oauth/challenge.ts";
import { discoverServer, fetchResourceMetadata } from "../oauth/discovery.ts";
import { endpointUrl } from "../oauth/endpoint_url.ts";
import { OAuthFailure } from "../oauth/failure.ts";
import { coversServer } from "../oauth/resource.ts";
import { type ResourceMetadata, resourceMetadataUrls } from "../oauth/resource_metadata.ts";
import { parseScope, unionScopes } from "../oauth/scope.ts";
import type { ServerMetadata } from "../oauth/server_metadata.ts";
import { type Door, type LoginContext, loginFailed } from "./login_context.ts";

const hostile = "The upstream's metadata is wrong or hostile; ask whoever runs it.";

/** The door behind a refusal. `challenge` is its `WWW-Authenticate`. @throws UserError, OAuthFailure */
export async function discoveredDoor(context: LoginContext, challenge: string | null): Promise<Door> {
  const bearer = findBearerChallenge(challenge);
  const document = await findDocument(context, bearer);
  const { origin } = context.upstreamUrl;
  const published = document === undefined
    ? await legacyServer(context)
    : await namedServer(context, document.authorization_servers?.[0] ?? origin);
  const server = published ?? guessedServer(origin);
  requireEndpoints(server);
  const scopes = chooseScopes(context, server, bearer, document);
  const resource = document === undefined || context.config.omitResource || isEntra(server)
    ? undefined
    : document.resource;
  return {
    server,
    scopes,
    ...(resource === undefined ? {} : { resource }),
    ...(published === undefined ? { guessed: true } : {}),
  };
}

async function findDocument(
  context: LoginContext,
  bearer: Challenge | undefined,
): Promise<ResourceMetadata | undefined> {
  const { http, signal, upstreamUrl } = context;
  const given = bearer?.params.resource_metadata;
  const places = given === undefined ? resourceMetadataUrls(upstreamUrl.href) : [documentUrl(context, given)];
  for (const url of places) {
    const document = await fetchResourceMetadata(http, url, { signal });
    if (document === undefined) continue;
    if (!coversServer(document.resource, upstreamUrl.href)) {
      throw loginFailed(`${url.origin} describes another resource, ${safe(document.resource)}`, hostile);
    }
    return document;
  }
  return undefined;
}

/** The challenge may point to https anywhere, and to http only where the upstream itself is asked over http. */
function documentUrl({ upstreamUrl }: LoginContext, text: string): URL {
  const url = endpointUrl(text, { allowHttp: true });
  if (url !== undefined && (url.protocol === "https:" || url.origin === upstreamUrl.origin)) return url;
  throw loginFailed(`the challenge points to ${safe(text)}`, hostile);
}

async function namedServer(context: LoginContext, issuer: string): Promise<ServerMetadata> {
  if (endpointUrl(issuer) === undefined) {
    throw loginFailed(`the upstream names ${safe(issuer)} as its authorization server`, hostile);
  }
  return await discoverServer(context.http, issuer, { signal: context.signal });
}

/**
 * MCP of 2025-03-26: the upstream's origin is the authorization server. It was asked by its origin, not by an issuer,
 * so any issuer of that origin will do.
 */
async function legacyServer(context: LoginContext): Promise<ServerMetadata | undefined> {
  const { http, signal, upstreamUrl: { origin } } = context;
  try {
    return await discoverServer(http, origin, {
      signal,
      accepts: (found) => URL.canParse(found) && new URL(found).origin === origin,
    });
  } catch (error) {
    if (error instanceof OAuthFailure && error.reason === "no_metadata") return undefined;
    throw error;
  }
}

/** The same revision's fixed endpoints; it demands PKCE of everybody. */
function guessedServer(origin: string): ServerMetadata {
  return {
    issuer: origin,
    authorization_endpoint: `${origin}/authorize`,
    token_endpoint: `${origin}/token`,
    registration_endpoint: `${origin}/register`,
    code_challenge_methods_supported: ["S256"],
  };
}

/** Secrets and browsers go to https or to this machine only; judged before anything is sent anywhere. */
function requireEndpoints(server: ServerMetadata): void {
  const endpoints = {
    "authorization endpoint": server.authorization_endpoint,
    "token endpoint": server.token_endpoint,
    "registration endpoint": server.registration_endpoint,
    "device authorization endpoint": server.device_authorization_endpoint,
  };
  for (const [name, address] of Object.entries(endpoints)) {
    if (address === undefined || endpointUrl(address) !== undefined) continue;
    throw loginFailed(
      `the ${name} of ${server.issuer} is ${safe(address)}, neither https nor this machine`,
      hostile,
    );
  }
  if (server.token_endpoint === undefined) throw loginFailed(`${server.issuer} names no token endpoint`);
}

/** The setting, else the challenge, else all that the resource lists, else none (MCP, "Scope Selection Strategy"). */
function chooseScopes(
  { config }: LoginContext,
  server: ServerMetadata,
  bearer: Challenge | undefined,
  document: ResourceMetadata | undefined,
): readonly string[] {
  if (config.scopes !== undefined) return config.scopes;
  const challenged = parseScope(bearer?.params.scope);
  const chosen = challenged.length > 0 ? challenged : document?.scopes_supported ?? [];
  // A person who asked for no refresh tokens can say so with the scopes setting.
  const offline = config.grant !== "client_credentials" &&
    server.scopes_supported?.includes("offline_access");
  return offline ? unionScopes(chosen, ["offline_access"]) : chosen;
}

/** Entra refuses `resource` beside its own scopes. */
function isEntra(server: ServerMetadata): boolean {
  const endpoint = endpointUrl(server.authorization_endpoint);
  return endpoint !== undefined &&
    /(^|\.)login\.(microsoftonline|partner\.microsoftonline)\./.test(endpoint.hostname);
}

/** Somebody else's text inside a sentence of ours. */
function safe(text: string): string {
  return `"${text.replaceAll(/[^\x21-\x7e]+/g, " ").slice(0, 120)}"`;
}
