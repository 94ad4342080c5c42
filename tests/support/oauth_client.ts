/**
 * An MCP client's OAuth by hand, one step at a time, following nothing but the metadata it is given: challenge ->
 * resource metadata -> server metadata -> registration -> authorize (scripted browser) -> token -> refresh. Each step
 * may be played against another process than the one before.
 */
import { type Browser, newBrowser } from "./browser.ts";
import { keepOAuth } from "./secrets.ts";

export interface Discovered {
  readonly resource: Record<string, unknown> & { resource: string; authorization_servers: string[] };
  readonly server: Record<string, unknown> & {
    issuer: string;
    authorization_endpoint: string;
    token_endpoint: string;
    registration_endpoint?: string;
  };
}

export interface RegisteredClient {
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly redirectUri: string;
}

/** An authorization request under way. */
export interface Login {
  readonly url: string;
  readonly state: string;
  readonly verifier: string;
}

export interface Tokens {
  readonly access_token: string;
  readonly token_type: string;
  readonly expires_in?: number;
  readonly refresh_token?: string;
  readonly scope?: string;
}

/** The redirect URI of a client on this machine; nobody listens there, the browser stops before it. */
export const defaultRedirectUri = "http://127.0.0.1:33418/callback";

/** Asks without a token and follows the challenge. */
export async function discover(mcpUrl: string): Promise<Discovered> {
  const refusal = await call(mcpUrl, undefined, { jsonrpc: "2.0", id: 1, method: "ping" });
  await refusal.body?.cancel();
  const challenge = refusal.headers.get("www-authenticate") ?? "";
  const link = /resource_metadata="([^"]+)"/.exec(challenge)?.[1];
  if (refusal.status !== 401 || link === undefined) {
    throw new Error(`No challenge: ${refusal.status} ${challenge}`);
  }
  const resource = await getJson(link);
  const issuer = new URL(resource.authorization_servers[0]);
  const path = issuer.pathname === "/" ? "" : issuer.pathname;
  const server = await getJson(`${issuer.origin}/.well-known/oauth-authorization-server${path}`);
  return { resource, server };
}

/** RFC 7591; a public client unless told otherwise. */
export async function register(
  server: Discovered["server"],
  metadata: Record<string, unknown> = {},
): Promise<RegisteredClient> {
  const redirectUri = (metadata.redirect_uris as string[] | undefined)?.[0] ?? defaultRedirectUri;
  const response = await fetch(server.registration_endpoint ?? "", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      client_name: "scripted client",
      redirect_uris: [redirectUri],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
      ...metadata,
    }),
  });
  const body = await response.json();
  keepOAuth(body);
  if (response.status !== 201) throw new Error(`Not registered: ${response.status} ${JSON.stringify(body)}`);
  return { clientId: body.client_id, clientSecret: body.client_secret, redirectUri };
}

/** Makes the authorization request's URL, with PKCE and the resource. */
export async function startLogin(
  { resource, server }: Discovered,
  client: RegisteredClient,
  parameters: Record<string, string | undefined> = {},
): Promise<Login> {
  const verifier = base64url(crypto.getRandomValues(new Uint8Array(32)));
  const state = parameters.state ?? base64url(crypto.getRandomValues(new Uint8Array(16)));
  const challenge = base64url(
    new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))),
  );
  keepOAuth({ state, code_verifier: verifier, code_challenge: challenge });
  const url = new URL(server.authorization_endpoint);
  const all: Record<string, string | undefined> = {
    response_type: "code",
    client_id: client.clientId,
    redirect_uri: client.redirectUri,
    code_challenge: challenge,
    code_challenge_method: "S256",
    state,
    resource: resource.resource,
    ...parameters,
  };
  for (const [name, value] of Object.entries(all)) if (value !== undefined) url.searchParams.set(name, value);
  return { url: url.href, state, verifier };
}

/** The code from the address that the browser was sent back to. @throws Error with the OAuth error. */
export function codeOf(end: URL, login: Login): string {
  if (end.searchParams.get("state") !== login.state) throw new Error(`Another state in ${end}`);
  const code = end.searchParams.get("code");
  if (code === null) {
    throw new Error(`${end.searchParams.get("error")}: ${end.searchParams.get("error_description")}`);
  }
  return code;
}

/** A token request as it is answered, whatever the answer. */
export async function tokenRequest(
  server: Discovered["server"],
  client: RegisteredClient,
  parameters: Record<string, string>,
): Promise<
  { status: number; headers: Headers; body: Tokens & { error?: string; error_description?: string } }
> {
  const body = new URLSearchParams({ client_id: client.clientId, ...parameters });
  if (client.clientSecret !== undefined) body.set("client_secret", client.clientSecret);
  keepOAuth(body);
  const response = await fetch(server.token_endpoint, { method: "POST", body });
  const answer = await response.json();
  keepOAuth(answer);
  return { status: response.status, headers: response.headers, body: answer };
}

/** @throws Error with the OAuth error. */
export async function redeem(
  found: Discovered,
  client: RegisteredClient,
  login: Login,
  code: string,
): Promise<Tokens> {
  const { status, body } = await tokenRequest(found.server, client, {
    grant_type: "authorization_code",
    code,
    redirect_uri: client.redirectUri,
    code_verifier: login.verifier,
    resource: found.resource.resource,
  });
  if (status !== 200) throw new Error(`No token: ${status} ${body.error}: ${body.error_description}`);
  return body;
}

/** @throws Error with the OAuth error. */
export async function refresh(
  found: Discovered,
  client: RegisteredClient,
  refreshToken: string,
): Promise<Tokens> {
  const { status, body } = await tokenRequest(found.server, client, {
    grant_type: "refresh_token",
    refresh_token: refreshToken,
    resource: found.resource.resource,
  });
  if (status !== 200) throw new Error(`No token: ${status} ${body.error}: ${body.error_description}`);
  return body;
}

/** From nothing to tokens. */
export async function logIn(
  mcpUrl: string,
  options: { user?: string; browser?: Browser } = {},
): Promise<{ found: Discovered; client: RegisteredClient; tokens: Tokens; browser: Browser }> {
  const browser = options.browser ?? newBrowser({ user: options.user ?? "alice" });
  const found = await discover(mcpUrl);
  const client = await register(found.server);
  const login = await startLogin(found, client);
  const end = await browser.authorize(login.url, client.redirectUri);
  const tokens = await redeem(found, client, login, codeOf(end, login));
  return { found, client, tokens, browser };
}

/** One MCP request. */
export async function call(
  mcpUrl: string,
  token: string | undefined,
  message: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return await fetch(mcpUrl, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "accept": "application/json, text/event-stream",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: JSON.stringify(message),
  });
}

/** The first JSON-RPC answer in a JSON or event-stream response. */
export async function rpcAnswer(response: Response): Promise<Record<string, unknown>> {
  const text = await response.text();
  if (!(response.headers.get("content-type") ?? "").includes("event-stream")) return JSON.parse(text);
  for (const line of text.split("\n")) {
    if (!line.startsWith("data:") || line.trim() === "data:") continue;
    const message = JSON.parse(line.slice(5));
    if ("result" in message || "error" in message) return message;
  }
  throw new Error(`No answer in ${text}`);
}

async function getJson(url: string) {
  const response = await fetch(url, { headers: { accept: "application/json" } });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return await response.json();
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
