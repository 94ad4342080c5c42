/**
 * Plays one MCP client against a server, as far as it gets without a person:
 *
 *     first request without a token -> challenge -> resource metadata -> server metadata -> registration
 *       -> the authorization request (a page, not a refusal) -> in a browser, the preflights of all that
 */
import { readLimitedText } from "../../base/body.ts";
import { describeError } from "../../base/errors.ts";
import type { HttpClient } from "../../base/http_client.ts";
import { registerClient } from "../../oauth/client.ts";
import { findBearerChallenge } from "../../oauth/challenge.ts";
import { discoverServer, fetchResourceMetadata } from "../../oauth/discovery.ts";
import { endpointUrl } from "../../oauth/endpoint_url.ts";
import { pkcePair, randomState } from "../../oauth/pkce.ts";
import { coversServer } from "../../oauth/resource.ts";
import { type ResourceMetadata, resourceMetadataUrls } from "../../oauth/resource_metadata.ts";
import type { ServerMetadata } from "../../oauth/server_metadata.ts";
import { systemClock } from "../../base/clock.ts";
import type { ClientProfile } from "./client_table.ts";
import { checkPreflights } from "./cors.ts";

/** Where the play is set. */
export interface Stage {
  readonly http: HttpClient;
  /** The MCP server's address as users type it. */
  readonly url: URL;
}

/** What went wrong, in words that end a sentence; empty when the client would get through. */
export async function playClient(stage: Stage, client: ClientProfile): Promise<string[]> {
  const problems: string[] = [];
  const { http, url } = stage;
  // `fetch` sends a name of its own where none is given, so that no name at all is an empty one.
  const headers = { "user-agent": client.userAgent ?? "" };
  try {
    const challenge = await firstRequest(stage, client);
    if (challenge === "open") return problems;
    if (typeof challenge === "string") return [challenge];
    const resource = await findResource(http, url, challenge.metadataUrl, headers);
    if (resource === undefined) return ["no resource metadata where it looks (RFC 9728)"];
    problems.push(...resourceProblems(resource, url, client));
    const issuer = resource.authorization_servers?.[0];
    if (issuer === undefined) return [...problems, "the resource metadata names no authorization server"];
    const server = await discoverServer(http, issuer, {
      headers,
      ...(client.strictIssuer === true ? {} : { accepts: () => true }),
    });
    problems.push(...serverProblems(server, client));
    if (client.origin !== undefined) {
      problems.push(
        ...await checkPreflights(http, {
          origin: client.origin,
          url,
          metadataUrl: challenge.metadataUrl,
          server,
        }),
      );
    }
    if (problems.length === 0) {
      problems.push(
        ...usesDocument(server, client)
          ? await askForLogin(stage.http, { client, server, resource, clientId: client.documentUrl })
          : await registerAndAsk(stage.http, client, server, resource),
      );
    }
  } catch (error) {
    problems.push(describeError(error));
  }
  return problems;
}

/** How clients begin, by era. */
export const firstBodies = {
  initialize: {
    jsonrpc: "2.0",
    id: 1,
    method: "initialize",
    params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "doctor", version: "1" } },
  },
  discover: { jsonrpc: "2.0", id: "doctor", method: "server/discover", params: {} },
};

/** The challenge's metadata address, `open` when nobody needs to log in, else what is wrong. */
async function firstRequest(
  { http, url }: Stage,
  client: ClientProfile,
): Promise<{ metadataUrl: URL | undefined } | "open" | string> {
  const get = client.first === "get";
  const agent = client.mcpUserAgent ?? client.userAgent ?? "";
  const response = await http.fetch(url, {
    method: get ? "GET" : "POST",
    headers: {
      "user-agent": agent,
      "accept": "application/json, text/event-stream",
      ...(get ? {} : { "content-type": "application/json" }),
      ...(client.origin === undefined ? {} : { origin: client.origin }),
    },
    ...(get ? {} : {
      body: JSON.stringify(client.first === "discover" ? firstBodies.discover : firstBodies.initialize),
    }),
    timeoutMs: 15_000,
  });
  await response.body?.cancel();
  if (response.ok) return "open";
  if (response.status !== 401) {
    return `its first request (user agent "${agent}") is answered ${response.status} instead of 401: ` +
      (response.status === 403
        ? "something before the server refuses this user agent"
        : "no challenge, no login");
  }
  const challenge = findBearerChallenge(response.headers.get("www-authenticate"));
  if (challenge === undefined) return "the 401 carries no WWW-Authenticate: Bearer challenge";
  const link = challenge.params.resource_metadata;
  const metadataUrl = endpointUrl(link);
  if (link !== undefined && metadataUrl === undefined) {
    return `the challenge's resource_metadata "${link}" is no usable address`;
  }
  return { metadataUrl };
}

async function findResource(
  http: HttpClient,
  url: URL,
  named: URL | undefined,
  headers: Record<string, string>,
): Promise<ResourceMetadata | undefined> {
  for (const place of named === undefined ? resourceMetadataUrls(url.href) : [named]) {
    const found = await fetchResourceMetadata(http, place, { headers });
    if (found !== undefined) return found;
  }
  return undefined;
}

function resourceProblems({ resource }: ResourceMetadata, url: URL, client: ClientProfile): string[] {
  const typed = url.href.replace(/\/$/, "");
  if (!coversServer(resource, url.href)) {
    return [`the resource metadata is for ${resource}, not for ${typed}`];
  }
  if (client.strictResource === true && resource !== typed) {
    return [`the resource metadata names ${resource}, and this client wants exactly ${typed}`];
  }
  return [];
}

/** Whether this client skips registration here. */
function usesDocument(
  server: ServerMetadata,
  client: ClientProfile,
): client is ClientProfile & { readonly documentUrl: string } {
  return client.documentUrl !== undefined && server.client_id_metadata_document_supported === true;
}

function serverProblems(server: ServerMetadata, client: ClientProfile): string[] {
  const problems: string[] = [];
  if (usesDocument(server, client)) {
    if (server.token_endpoint_auth_methods_supported?.includes("none") !== true) {
      problems.push(
        "the authorization server reads client metadata documents but does not list the method none",
      );
    }
  } else if (server.registration_endpoint === undefined) {
    problems.push("the authorization server registers no clients (no registration_endpoint)");
  }
  if (server.code_challenge_methods_supported?.includes("S256") !== true) {
    problems.push("the authorization server does not announce PKCE with S256");
  }
  for (const name of ["authorization_endpoint", "token_endpoint"] as const) {
    if (endpointUrl(server[name]) === undefined) {
      problems.push(`the authorization server's ${name} is missing or not https`);
    }
  }
  return problems;
}

async function registerAndAsk(
  http: HttpClient,
  client: ClientProfile,
  server: ServerMetadata,
  resource: ResourceMetadata,
): Promise<string[]> {
  const metadata = { ...client.registration, redirect_uris: client.redirectUris };
  const registered = await registerClient({ http, clock: systemClock }, server, metadata);
  try {
    const missing = client.redirectUris.filter((uri) => ![registered.redirect_uris].flat().includes(uri));
    if (missing.length > 0) return [`registration leaves out ${missing.join(" ")}`];
    if (typeof registered.token_endpoint_auth_method !== "string") {
      return ["the registration's answer names no token_endpoint_auth_method"];
    }
    return await askForLogin(http, { client, server, resource, clientId: registered.client_id });
  } finally {
    await unregister(http, registered);
  }
}

interface Asking {
  readonly client: ClientProfile;
  readonly server: ServerMetadata;
  readonly resource: ResourceMetadata;
  readonly clientId: string;
}

/** The authorization request: a page or a redirect will do, a refusal will not. */
async function askForLogin(
  http: HttpClient,
  { client, server, resource, clientId }: Asking,
): Promise<string[]> {
  const authorize = new URL(server.authorization_endpoint ?? server.issuer);
  const redirectUri = client.comesBackTo ?? client.redirectUris[0] ?? "";
  const own = {
    response_type: "code",
    client_id: clientId,
    redirect_uri: redirectUri,
    state: randomState(),
    code_challenge: (await pkcePair()).challenge,
    code_challenge_method: "S256",
    resource: resource.resource,
    scope: (resource.scopes_supported ?? []).join(" "),
  };
  for (const [name, value] of Object.entries(own)) if (value !== "") authorize.searchParams.set(name, value);
  const response = await http.fetch(authorize, { headers: { accept: "text/html" }, timeoutMs: 15_000 });
  const text = await readLimitedText(response, 64 * 1024).catch(() => "");
  if (response.status >= 400) {
    const reason = /redirect/i.test(text) ? ` (it seems to be about the redirect URI ${redirectUri})` : "";
    return [`the authorization request is answered ${response.status}${reason}`];
  }
  const location = response.headers.get("location");
  const back = location !== null && location.startsWith(redirectUri)
    ? new URL(location).searchParams
    : undefined;
  const error = back?.get("error");
  return error
    ? [`the authorization request is refused: ${error} ${back?.get("error_description") ?? ""}`.trim()]
    : [];
}

/** RFC 7592, where the server has it: nothing is left behind. */
async function unregister(http: HttpClient, registered: Record<string, unknown>): Promise<void> {
  const { registration_client_uri: uri, registration_access_token: token } = registered;
  const url = typeof uri === "string" ? endpointUrl(uri) : undefined;
  if (url === undefined || typeof token !== "string") return;
  try {
    const headers = { authorization: `Bearer ${token}` };
    const response = await http.fetch(url, { method: "DELETE", headers, timeoutMs: 10_000 });
    await response.body?.cancel();
  } catch {
    // It was worth a try.
  }
}
