/** A bridge over a memory store and an IdP object that does what a test says, and a client that goes through it. */
import assert from "node:assert/strict";
import { Hono } from "hono";
import { memoryCounters } from "../../lib/base/counters.ts";
import type { Logger } from "../../lib/base/log.ts";
import { jweSealer } from "../../lib/crypto/jwe_sealer.ts";
import { keyRing } from "../../lib/crypto/key_ring.ts";
import type { Identity, Idp, IdpTokens } from "../../lib/idp/idp.ts";
import { createBridge } from "../../lib/inbound/bridge/bridge.ts";
import type { BridgeParts } from "../../lib/inbound/bridge/parts.ts";
import type { BridgeConfig } from "../../lib/inbound/config.ts";
import { codeChallenge } from "../../lib/oauth/pkce.ts";
import { memoryStore } from "../../lib/store/memory.ts";
import { keepOAuth, keepSecret } from "../support/secrets.ts";
import { type WatchedLog, watchedLog } from "../support/watched_log.ts";
import { type FakeClock, fakeClock } from "../fakes/clock.ts";

export const base = "https://door.example";
export const secret = "a-signing-secret-for-tests-0123456789";
export const verifier = "v".repeat(20) + "erifier-".repeat(4);
export const callbackUri = "https://client.example/callback";

/** A configuration as the defaults would give it. */
export function bridgeConfig(changes: Partial<BridgeConfig> = {}): BridgeConfig {
  return {
    shape: "bridge",
    baseUrl: base,
    resource: `${base}/mcp`,
    mountPath: "/mcp",
    scopesSupported: ["openid", "email"],
    allow: { subjects: [], emails: [], domains: [], groups: [], requiredScopes: [] },
    idp: {
      provider: "oidc",
      issuerUrl: "https://idp.example",
      clientId: "doorman-at-idp",
      clientSecret: "idp-secret",
      scopes: ["openid", "email"],
      authorizeParameters: [],
      groupsClaim: "groups",
      allowInsecureHttp: false,
      quirks: {},
    },
    paths: { register: "/register", callback: "/auth/callback" },
    tokenFollowsIdp: false,
    codeTtlMs: 60_000,
    loginTtlMs: 600_000,
    accessTtlMs: 3_600_000,
    refreshTtlMs: 7 * 86_400_000,
    grantTtlMs: 90 * 86_400_000,
    clientTtlMs: 0,
    refreshGraceMs: 60_000,
    renderConsentPage: true,
    pkceRequired: true,
    stateRequired: false,
    prodMode: true,
    staticClients: [],
    redirectHosts: ["*"],
    redirectSchemes: [],
    cimd: { enabled: true, allowLoopback: false },
    idpExchange: { ratePerSec: 0, burst: 50 },
    logoText: "MD",
    ...changes,
  };
}

/** An IdP that says what it is told to say. */
export interface FakeIdp extends Idp {
  identity: Identity;
  tokens: IdpTokens;
  /** Thrown by the next calls, while set. */
  failing: Error | undefined;
  /** Awaited by each refresh. */
  beforeRefresh: () => Promise<void>;
  readonly calls: { authorize: number; exchange: number; refresh: number; revoke: number };
  /** The newest authorization request. */
  last: { state: string; nonce: string; codeChallenge: string; selectAccount?: boolean } | undefined;
}

export function fakeIdp(clock: FakeClock): FakeIdp {
  let turn = 0;
  const nonces = new Map<string, string>();
  const stop = () => {
    if (idp.failing !== undefined) throw idp.failing;
  };
  const idp: FakeIdp = {
    name: "fake",
    failing: undefined,
    beforeRefresh: () => Promise.resolve(),
    identity: {
      subject: "alice",
      email: "alice@example.com",
      emailVerified: true,
      name: "Alice",
      groups: ["staff"],
      claims: { sub: "alice", department: "ops" },
    },
    tokens: { accessToken: "idp-access", refreshToken: "idp-refresh", expiresAtMs: clock.now() + 3_600_000 },
    calls: { authorize: 0, exchange: 0, refresh: 0, revoke: 0 },
    last: undefined,
    // deno-lint-ignore require-await -- throws as a promise
    async authorizeUrl(request) {
      idp.calls.authorize++;
      stop();
      idp.last = request;
      nonces.set(request.state, request.nonce);
      const url = new URL("https://idp.example/authorize");
      url.searchParams.set("state", request.state);
      url.searchParams.set("redirect_uri", request.redirectUri);
      return url;
    },
    // deno-lint-ignore require-await -- throws as a promise
    async exchange(callback) {
      idp.calls.exchange++;
      stop();
      assert.equal(callback.nonce, nonces.get(callback.state));
      return { tokens: idp.tokens, identity: idp.identity };
    },
    async refresh(refreshToken) {
      idp.calls.refresh++;
      await idp.beforeRefresh();
      stop();
      turn++;
      const tokens = {
        accessToken: `idp-access-${turn}`,
        refreshToken: `${refreshToken.split("#")[0]}#${turn}`,
        expiresAtMs: clock.now() + 3_600_000,
      };
      return { tokens, identity: idp.identity };
    },
    revoke() {
      idp.calls.revoke++;
      return Promise.resolve();
    },
    ready: () => Promise.resolve(),
    reachable: () => Promise.resolve(true),
  };
  return idp;
}

export interface KitOptions {
  readonly config?: Partial<BridgeConfig>;
  readonly parts?: Partial<BridgeParts>;
  readonly log?: Logger;
  readonly secrets?: [string, ...string[]];
}

/** Whatever it is told and answers with is secret from then on, and what was logged until then is looked at. */
function watch(app: Hono, log: WatchedLog): void {
  const ask = app.request;
  app.request = async (...request: Parameters<typeof ask>) => {
    const [, { body: form, headers } = {}] = request;
    if (form instanceof URLSearchParams) keepOAuth(form);
    keepCookie(new Headers(headers).get("cookie"));
    const response = await ask(...request);
    keepCookie(response.headers.get("set-cookie"));
    const body = await response.clone().json().catch(() => ({}));
    if (typeof body === "object" && body !== null) keepOAuth(body);
    const location = response.headers.get("location");
    if (location !== null && URL.canParse(location)) keepOAuth(new URL(location).searchParams);
    log.check();
    return response;
  };
}

function keepCookie(cookie: string | null): void {
  keepSecret("a cookie", /=([^;]*)/.exec(cookie ?? "")?.[1]);
}

export type Kit = Awaited<ReturnType<typeof bridgeKit>>;

/** A bridge mounted on an application, and everything that it is made of. */
export async function bridgeKit(options: KitOptions = {}) {
  const clock = fakeClock();
  const config = bridgeConfig(options.config);
  const idp = fakeIdp(clock);
  const counters = memoryCounters();
  const log = watchedLog(options.log);
  const store = memoryStore(clock);
  const sealerOf = async (secrets: [string, ...string[]], audience = config.baseUrl) =>
    jweSealer({ keys: await keyRing(secrets), audience, clock, log });
  const parts: BridgeParts = {
    config,
    clock,
    idp,
    counters,
    log,
    store,
    sealer: await sealerOf(options.secrets ?? [secret]),
    ...options.parts,
  };
  const start = (changes: Partial<BridgeParts> = {}) => {
    const bridge = createBridge({ ...parts, ...changes });
    const app = new Hono();
    bridge.mount(app);
    watch(app, log);
    return { bridge, app };
  };
  const { bridge, app } = start();
  return { clock, config, idp, counters, store, parts, start, sealerOf, bridge, app, log };
}

type App = Pick<Hono, "request">;

/** A browser's memory: one cookie is all there is. */
export class Jar {
  cookie: string | undefined;
  headers(): Record<string, string> {
    return { accept: "text/html", ...(this.cookie === undefined ? {} : { cookie: this.cookie }) };
  }
  take(response: Response): Response {
    const set = response.headers.get("set-cookie");
    if (set !== null) this.cookie = set.split(";")[0];
    return response;
  }
}

export async function postJson(app: App, path: string, body: unknown): Promise<Response> {
  const headers = { "content-type": "application/json" };
  return await app.request(path, { method: "POST", headers, body: JSON.stringify(body) });
}

export async function postForm(
  app: App,
  path: string,
  form: Record<string, string> | [string, string][],
  headers: Record<string, string> = {},
): Promise<Response> {
  return await app.request(path, { method: "POST", body: new URLSearchParams(form), headers });
}

/** Registers a client and returns what was answered. */
export async function registerClient(app: App, metadata: Record<string, unknown> = {}) {
  const response = await postJson(app, "/register", {
    redirect_uris: [callbackUri],
    client_name: "Test",
    ...metadata,
  });
  assert.equal(response.status, 201, await response.clone().text());
  return await response.json() as { client_id: string; client_secret?: string; [member: string]: unknown };
}

/** The query of a good authorization request. */
export async function authorizeQuery(clientId: string, changes: Record<string, string | undefined> = {}) {
  const all = {
    response_type: "code",
    client_id: clientId,
    redirect_uri: callbackUri,
    code_challenge: await codeChallenge(verifier),
    code_challenge_method: "S256",
    state: "the-state",
    resource: `${base}/mcp`,
    ...changes,
  };
  return new URLSearchParams(
    Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** The sealed form in a consent page. */
export function consentToken(html: string): string {
  const [, token] = /name="consent_token" value="([^"]+)"/.exec(html) ?? [];
  assert.ok(token, html);
  return token;
}

/** Where a page sends its reader; on a page about a failure, by the link `again` or `back`. */
export function continuation(html: string, id: "continue" | "again" | "back" = "continue"): URL {
  const [, href] = new RegExp(`id="${id}" href="([^"]+)"`).exec(html) ?? [];
  assert.ok(href, html);
  return new URL(href.replaceAll("&amp;", "&").replaceAll("&#39;", "'").replaceAll("&quot;", '"'));
}

/** GET /authorize; returns the consent form's token. */
export async function openConsent(app: App, jar: Jar, query: URLSearchParams): Promise<string> {
  const response = jar.take(await app.request(`/authorize?${query}`, { headers: jar.headers() }));
  const html = await response.text();
  assert.equal(response.status, 200, html);
  return consentToken(html);
}

/** POST /consent with approval; returns the address at the IdP. */
export async function approve(app: App, jar: Jar, token: string, action = "approve"): Promise<URL> {
  const response = await postForm(app, "/consent", { consent_token: token, action }, jar.headers());
  const html = await response.text();
  assert.equal(response.status, 200, html);
  return continuation(html);
}

/** The IdP's redirect to us, followed; returns the address at the client. */
export async function comeBack(app: App, jar: Jar, idpUrl: URL): Promise<URL> {
  const query = new URLSearchParams({ code: "idp-code", state: idpUrl.searchParams.get("state") ?? "" });
  const response = jar.take(await app.request(`/auth/callback?${query}`, { headers: jar.headers() }));
  const html = await response.text();
  assert.equal(response.status, 200, html);
  return continuation(html);
}

export interface TokenBody {
  access_token: string;
  refresh_token: string;
  expires_in: number;
  scope: string;
  token_type: string;
  error?: string;
  error_code?: string;
}

/** From registration to tokens. */
export async function login(
  app: App,
  options: { jar?: Jar; clientId?: string; query?: Record<string, string | undefined> } = {},
) {
  const jar = options.jar ?? new Jar();
  const clientId = options.clientId ?? (await registerClient(app)).client_id;
  const token = await openConsent(app, jar, await authorizeQuery(clientId, options.query));
  const back = await comeBack(app, jar, await approve(app, jar, token));
  const code = back.searchParams.get("code") ?? "";
  const response = await redeem(app, clientId, code);
  assert.equal(response.status, 200, await response.clone().text());
  return { jar, clientId, back, code, tokens: await response.json() as TokenBody };
}

export function redeem(app: App, clientId: string, code: string, changes: Record<string, string> = {}) {
  return postForm(app, "/token", {
    grant_type: "authorization_code",
    code,
    client_id: clientId,
    redirect_uri: callbackUri,
    code_verifier: verifier,
    ...changes,
  });
}

export function refresh(app: App, clientId: string, token: string, changes: Record<string, string> = {}) {
  return postForm(app, "/token", {
    grant_type: "refresh_token",
    refresh_token: token,
    client_id: clientId,
    ...changes,
  });
}
