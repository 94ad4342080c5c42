/**
 * A real OpenID provider (oidc-provider) on loopback for tests and the demo. Whoever logs in is named by the
 * `x-test-user` header, the `test_user` cookie, the `autoLogin` option or the login form, in this order; consent at
 * the IdP is given by itself. Grants, clients and sessions live in memory and survive `rotateKeys`, `down` and `up`.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { exportJWK, generateKeyPair, type JWK } from "jose";
import { Provider } from "./oidc_provider.ts";
import { memoryAdapter, type MemoryRecords } from "./idp_adapter.ts";
import { loginPage } from "./idp_page.ts";
import { keepOAuth } from "../support/secrets.ts";

/** Client metadata of RFC 7591. */
export interface ClientMetadata {
  client_id: string;
  client_secret?: string;
  redirect_uris?: string[];
  [member: string]: unknown;
}

// deno-lint-ignore no-explicit-any -- oidc-provider has no types of its own
type Any = any;

/** What the IdP says of a user; `sub` is the user's key in `users`. */
export interface TestUser {
  email?: string;
  email_verified?: boolean;
  name?: string;
  groups?: unknown;
  [claim: string]: unknown;
}

export interface IdpOptions {
  /** By subject; default alice and bob at example.com. */
  users?: Record<string, TestUser>;
  /** This user is logged in without a form. */
  autoLogin?: string;
  /** Further static clients; `doorman` / `doorman-secret` is always there, for any redirect URI added with `addClient`. */
  clients?: ClientMetadata[];
  /** RFC 7591 registration; default true. */
  registration?: boolean;
  /** `jwt` (default): access tokens are JWTs when a resource or audience is asked for or `audience` is set. */
  accessTokens?: "jwt" | "opaque";
  /** The audience of every access token; default: the `audience` or `resource` parameter. */
  audience?: string;
  /** A new refresh token at each refresh; default true. A reused old one revokes the grant. */
  rotateRefreshTokens?: boolean;
  /** `always` (default), `offline_access` (only with that scope) or `never`. */
  refreshTokens?: "always" | "offline_access" | "never";
  /** Access token and id_token lifetime; default 3600. */
  accessTtlSec?: number;
  /** Default 86400. */
  refreshTtlSec?: number;
  /** Scopes beyond openid, profile, email, groups and offline_access. */
  scopes?: string[];
  /** Put changes to the discovery document here, for IdPs that say less or something else. */
  discovery?: (document: Record<string, unknown>) => void;
  /** Default 0: any free port. */
  port?: number;
  /** Ask the user to agree on a page of the IdP; default false. */
  consentPage?: boolean;
}

/** How an endpoint misbehaves: an HTTP status, no answer at all, or a connection that is cut. */
export type Failure = 429 | 500 | 503 | "hang" | "cut";

export interface TestIdp extends AsyncDisposable {
  readonly issuer: string;
  readonly port: number;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Requests by path, such as `/token`; token requests also as `/token:refresh_token`. */
  readonly calls: Record<string, number>;
  /** Bodies of the token requests so far, with secrets as sent, newest last. */
  readonly tokenRequests: URLSearchParams[];
  /** Queries of the authorization requests so far, newest last. */
  readonly authorizeRequests: URLSearchParams[];
  /** Registers or replaces a client; the default for all but the id and the redirect URIs is a confidential web client. */
  addClient(metadata: ClientMetadata): Promise<void>;
  /** Adds redirect URIs to the client `doorman`. */
  addRedirect(...uris: string[]): Promise<void>;
  /** From now on requests whose path starts with `path` fail so; `undefined` heals them. */
  fail(path: string, how: Failure | undefined): void;
  /** Stops listening, as a host that is down; `up` listens on the same port again. */
  down(): Promise<void>;
  up(): Promise<void>;
  /** New signing keys; the old ones are gone from the JWKS. */
  rotateKeys(): Promise<void>;
  /** Ends browser sessions, so that the next login asks again. */
  endSessions(): void;
  /** Revokes all refresh tokens and grants of a subject (or of all). */
  revokeGrants(subject?: string): void;
  /** Changes what is said of a user from now on; `undefined` deletes the account. */
  setUser(subject: string, user: TestUser | undefined): void;
}

const standardScopes = ["openid", "offline_access", "profile", "email", "groups"];

export async function startIdp(options: IdpOptions = {}): Promise<TestIdp> {
  const users = new Map(Object.entries(
    options.users ?? {
      alice: {
        email: "alice@example.com",
        email_verified: true,
        name: "Alice Example",
        groups: ["staff", "admins"],
      },
      bob: { email: "bob@example.com", email_verified: true, name: "Bob Example", groups: ["staff"] },
    },
  ));
  const records: MemoryRecords = new Map();
  const calls: Record<string, number> = {};
  const tokenRequests: URLSearchParams[] = [];
  const authorizeRequests: URLSearchParams[] = [];
  const failures = new Map<string, Failure>();
  const hanging = new Set<ServerResponse>();
  const redirects = new Set<string>();
  let jwk = await newKey();
  let handle: (request: IncomingMessage, response: ServerResponse) => unknown = () => {};

  let server = await listen(options.port ?? 0);
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new Error("Cannot find the port of the test IdP");
  }
  const port = address.port;
  const issuer = `http://127.0.0.1:${port}`;

  async function listen(onPort: number): Promise<Server> {
    const made = createServer((request, response) => void answer(request, response));
    await new Promise<void>((resolve, reject) => {
      made.once("error", reject);
      made.listen(onPort, "127.0.0.1", () => resolve());
    });
    return made;
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", issuer);
    calls[url.pathname] = (calls[url.pathname] ?? 0) + 1;
    if (url.pathname === "/auth") authorizeRequests.push(url.searchParams);
    const failure = [...failures].find(([path]) => url.pathname.startsWith(path))?.[1];
    if (failure === "hang") return void hanging.add(response);
    if (failure === "cut") return void request.socket.destroy();
    if (failure !== undefined) {
      response.writeHead(failure, { "content-type": "text/plain" });
      return void response.end("out of order");
    }
    if (url.pathname.startsWith("/interaction/")) return await interact(request, response, url);
    await handle(request, response);
  }

  async function interact(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    try {
      const { prompt } = await provider.interactionDetails(request, response);
      if (prompt.name !== "login") {
        return await provider.interactionFinished(request, response, { consent: {} });
      }
      const subject = await chosenUser(request, url);
      if (subject === "!deny") {
        const refusal = { error: "access_denied", error_description: "the user said no" };
        return await provider.interactionFinished(request, response, refusal, {
          mergeWithLastSubmission: false,
        });
      }
      if (subject === undefined || !users.has(subject)) {
        response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
        return void response.end(loginPage(url.pathname, [...users.keys()]));
      }
      await provider.interactionFinished(request, response, { login: { accountId: subject } }, {
        mergeWithLastSubmission: false,
      });
    } catch (error) {
      response.writeHead(400, { "content-type": "text/plain" });
      response.end(String(error));
    }
  }

  async function chosenUser(request: IncomingMessage, url: URL): Promise<string | undefined> {
    if (request.method === "POST") {
      return new URLSearchParams(await readBody(request)).get("login") ?? undefined;
    }
    const header = request.headers["x-test-user"];
    if (typeof header === "string") return header;
    const cookie = /(?:^|;\s*)test_user=([^;]+)/.exec(request.headers.cookie ?? "")?.[1];
    return cookie ?? url.searchParams.get("login") ?? options.autoLogin;
  }

  function clientMetadata(metadata: ClientMetadata): ClientMetadata {
    return {
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "client_secret_basic",
      application_type: "web",
      ...metadata,
    };
  }

  function makeProvider(): Any {
    const made = new Provider(
      issuer,
      {
        adapter: memoryAdapter(records),
        clients: (options.clients ?? []).map(clientMetadata),
        jwks: { keys: [jwk] },
        cookies: { keys: ["test-cookie-key"] },
        scopes: [...standardScopes, ...(options.scopes ?? [])],
        claims: {
          openid: ["sub"],
          profile: ["name"],
          email: ["email", "email_verified"],
          groups: ["groups"],
        },
        conformIdTokenClaims: false,
        extraParams: ["audience", "access_type", "hd", "domain_hint"],
        pkce: { required: () => false },
        rotateRefreshToken: options.rotateRefreshTokens ?? true,
        issueRefreshToken: (_ctx: unknown, _client: unknown, code: { scopes: Set<string> }) =>
          options.refreshTokens === "never"
            ? false
            : options.refreshTokens !== "offline_access" || code.scopes.has("offline_access"),
        ttl: {
          AccessToken: options.accessTtlSec ?? 3600,
          IdToken: options.accessTtlSec ?? 3600,
          ClientCredentials: options.accessTtlSec ?? 3600,
          RefreshToken: options.refreshTtlSec ?? 86_400,
          AuthorizationCode: 60,
          Session: 86_400,
          Grant: 86_400,
          Interaction: 600,
          DeviceCode: 600,
        },
        features: {
          devInteractions: { enabled: false },
          registration: { enabled: options.registration ?? true },
          revocation: { enabled: true },
          introspection: { enabled: true },
          clientCredentials: { enabled: true },
          deviceFlow: { enabled: true },
          rpInitiatedLogout: { enabled: true },
          resourceIndicators: {
            enabled: true,
            defaultResource: (ctx: { oidc: { params?: Record<string, string> } }) => {
              const audience = options.audience ?? ctx.oidc.params?.audience;
              if (audience === undefined || audience === "") return undefined;
              return URL.canParse(audience) ? audience : `urn:audience:${audience}`;
            },
            useGrantedResource: () => true,
            getResourceServerInfo: (_ctx: unknown, resource: string) => ({
              scope: [...standardScopes, ...(options.scopes ?? [])].join(" "),
              audience: options.audience ?? resource.replace(/^urn:audience:/, ""),
              accessTokenTTL: options.accessTtlSec ?? 3600,
              accessTokenFormat: options.accessTokens ?? "jwt",
              ...(options.accessTokens === "opaque" ? {} : { jwt: { sign: { alg: "RS256" } } }),
            }),
          },
        },
        interactions: {
          url: (_ctx: unknown, interaction: { uid: string }) => `/interaction/${interaction.uid}`,
        },
        findAccount: (_ctx: unknown, subject: string) => {
          const user = users.get(subject);
          if (user === undefined) return undefined;
          return {
            accountId: subject,
            claims: () => Promise.resolve({ sub: subject, ...user }),
          };
        },
        extraTokenClaims: (_ctx: unknown, token: { accountId?: string }) => {
          const user = token.accountId === undefined ? undefined : users.get(token.accountId);
          return user === undefined ? undefined : { ...user };
        },
        loadExistingGrant: async (ctx: Any) => {
          const { session, client, params } = ctx.oidc;
          const existing = session?.grantIdFor(client?.clientId ?? "");
          if (existing !== undefined) {
            const found = await made.Grant.find(existing);
            if (found !== undefined) return grantAll(found, params);
          }
          if (options.consentPage === true && ctx.oidc.result?.consent === undefined) return undefined;
          const grant = new made.Grant({
            clientId: client?.clientId ?? "",
            accountId: session?.accountId ?? "",
          });
          return grantAll(grant, params);
        },
        renderError: (ctx: Any, out: Any) => {
          ctx.type = "json";
          ctx.body = out;
        },
      } as ConstructorParameters<typeof Provider>[1],
    );

    async function grantAll(
      grant: Any,
      params: Record<string, unknown> | undefined,
    ) {
      const all = [...standardScopes, ...(options.scopes ?? [])].join(" ");
      grant.addOIDCScope(all);
      grant.addOIDCClaims(["sub", "name", "email", "email_verified", "groups"]);
      const asked = [params?.resource, params?.audience, options.audience].flat();
      for (const resource of asked) {
        if (typeof resource !== "string" || resource === "") continue;
        grant.addResourceScope(URL.canParse(resource) ? resource : `urn:audience:${resource}`, all);
      }
      await grant.save();
      return grant;
    }

    made.use(async (ctx: Any, next: () => Promise<void>) => {
      await next();
      const { params, route } = ctx.oidc ?? {};
      keepOAuth(params ?? {});
      if (ctx.body !== null && typeof ctx.body === "object") keepOAuth(ctx.body);
      const location = ctx.response.get("location");
      if (URL.canParse(location)) keepOAuth(new URL(location).searchParams);
      if (route === "token" && params !== undefined) {
        const text = new URLSearchParams();
        for (const [name, value] of Object.entries(params)) {
          if (typeof value === "string") text.append(name, value);
        }
        tokenRequests.push(text);
        const key = `/token:${params.grant_type}`;
        calls[key] = (calls[key] ?? 0) + 1;
      }
      if (route === "discovery" && ctx.status === 200) {
        options.discovery?.(ctx.body as Record<string, unknown>);
      }
    });
    handle = made.callback();
    return made;
  }

  let provider = makeProvider();

  const close = async () => {
    for (const response of hanging) response.destroy();
    hanging.clear();
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  };

  const idp: TestIdp = {
    issuer,
    port,
    clientId: "doorman",
    clientSecret: "doorman-secret",
    calls,
    tokenRequests,
    authorizeRequests,
    async addClient(metadata) {
      const adapter = new (memoryAdapter(records))("Client");
      await adapter.upsert(metadata.client_id, clientMetadata(metadata));
    },
    async addRedirect(...uris) {
      for (const uri of uris) redirects.add(uri);
      await idp.addClient({
        client_id: "doorman",
        client_secret: "doorman-secret",
        redirect_uris: [...redirects],
        grant_types: ["authorization_code", "refresh_token", "client_credentials"],
      });
    },
    fail(path, how) {
      if (how === undefined) failures.delete(path);
      else failures.set(path, how);
    },
    down: close,
    async up() {
      server = await listen(port);
    },
    async rotateKeys() {
      jwk = await newKey();
      provider = makeProvider();
    },
    endSessions() {
      for (const key of records.keys()) if (key.startsWith("Session:")) records.delete(key);
    },
    revokeGrants(subject) {
      for (const [key, record] of records) {
        if (!/^(RefreshToken|Grant|AccessToken):/.test(key)) continue;
        if (subject === undefined || record.payload.accountId === subject) records.delete(key);
      }
    },
    setUser(subject, user) {
      if (user === undefined) users.delete(subject);
      else users.set(subject, user);
    },
    [Symbol.asyncDispose]: close,
  };
  await idp.addRedirect("http://127.0.0.1/callback");
  return idp;
}

async function newKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  return { ...await exportJWK(privateKey), kid: crypto.randomUUID(), use: "sig", alg: "RS256" };
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text;
}
