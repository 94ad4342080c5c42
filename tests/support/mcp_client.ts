/** The SDKs' own clients with their own OAuth; only the browser is ours. */
import {
  Client as ClientV2,
  StreamableHTTPClientTransport as TransportV2,
} from "@modelcontextprotocol/client";
// @ts-types="@modelcontextprotocol/sdk/client/auth"
import { type OAuthClientProvider, UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
// @ts-types="@modelcontextprotocol/sdk/client/index"
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
// @ts-types="@modelcontextprotocol/sdk/client/streamableHttp"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { type Browser, newBrowser } from "./browser.ts";
import { defaultRedirectUri } from "./oauth_client.ts";
import { keepOAuth } from "./secrets.ts";

/** What the SDK asks of an application, kept in memory. */
export interface MemoryOAuth extends OAuthClientProvider {
  /** Where the SDK wanted the user to go. */
  authorizationUrl: URL | undefined;
  /** What was saved, by name: `client`, `tokens`, `verifier`. */
  readonly saved: Record<string, unknown>;
}

export function memoryOAuth(): MemoryOAuth {
  const saved: Record<string, unknown> = {};
  const provider: MemoryOAuth = {
    authorizationUrl: undefined,
    saved,
    redirectUrl: defaultRedirectUri,
    clientMetadata: {
      client_name: "SDK client",
      redirect_uris: [defaultRedirectUri],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
    },
    state: () => "sdk-state",
    clientInformation: () => saved.client as ReturnType<OAuthClientProvider["clientInformation"]>,
    saveClientInformation: (client) => void (saved.client = client),
    tokens: () => saved.tokens as ReturnType<OAuthClientProvider["tokens"]>,
    saveTokens(tokens) {
      keepOAuth({ ...tokens });
      saved.tokens = tokens;
    },
    redirectToAuthorization: (url) => void (provider.authorizationUrl = url),
    saveCodeVerifier(verifier) {
      keepOAuth({ code_verifier: verifier });
      saved.verifier = verifier;
    },
    codeVerifier: () => String(saved.verifier),
  };
  return provider;
}

/** Connects the version 1 client: 401, login in the scripted browser, connect again. */
export async function connectV1(
  mcpUrl: string,
  options: { user?: string; browser?: Browser; oauth?: MemoryOAuth; client?: Client } = {},
): Promise<{ client: Client; transport: StreamableHTTPClientTransport; oauth: MemoryOAuth }> {
  const oauth = options.oauth ?? memoryOAuth();
  const client = options.client ?? new Client({ name: "sdk-v1", version: "1.0.0" });
  const transport = () => new StreamableHTTPClientTransport(new URL(mcpUrl), { authProvider: oauth });
  const first = transport();
  try {
    await client.connect(first);
    return { client, transport: first, oauth };
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
  }
  const end = await follow(oauth, options);
  await first.finishAuth(end.searchParams.get("code") ?? "");
  const second = transport();
  await client.connect(second);
  return { client, transport: second, oauth };
}

/** Connects the version 2 client, which speaks the stateless revision where it can. */
export async function connectV2(
  mcpUrl: string,
  options: { user?: string; browser?: Browser; oauth?: MemoryOAuth } = {},
): Promise<{ client: ClientV2; transport: TransportV2; oauth: MemoryOAuth }> {
  const oauth = options.oauth ?? memoryOAuth();
  const authProvider = oauth as unknown as NonNullable<
    NonNullable<ConstructorParameters<typeof TransportV2>[1]>["authProvider"]
  >;
  const client = new ClientV2({ name: "sdk-v2", version: "1.0.0" }, { versionNegotiation: { mode: "auto" } });
  const first = new TransportV2(new URL(mcpUrl), { authProvider });
  try {
    await client.connect(first);
    return { client, transport: first, oauth };
  } catch (error) {
    if (oauth.authorizationUrl === undefined) throw error;
  }
  const end = await follow(oauth, options);
  await first.finishAuth(end.searchParams);
  const second = new TransportV2(new URL(mcpUrl), { authProvider });
  await client.connect(second);
  return { client, transport: second, oauth };
}

async function follow(oauth: MemoryOAuth, options: { user?: string; browser?: Browser }): Promise<URL> {
  if (oauth.authorizationUrl === undefined) throw new Error("The SDK did not ask for a login");
  const browser = options.browser ?? newBrowser({ user: options.user ?? "alice" });
  const end = await browser.authorize(oauth.authorizationUrl, defaultRedirectUri);
  if (end.searchParams.get("state") !== "sdk-state") throw new Error(`Another state in ${end}`);
  return end;
}
