/** The public surface with an inbound that knows its tokens by heart, in front of an upstream that a test writes. */
import type { Hono } from "hono";
import { memoryCounters } from "../../lib/base/counters.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { openHttpClient } from "../../lib/base/http_client.ts";
import type { Logger } from "../../lib/base/log.ts";
import { jweSealer } from "../../lib/crypto/jwe_sealer.ts";
import { keyRing } from "../../lib/crypto/key_ring.ts";
import { buildFront, type FrontSettings } from "../../lib/http/front.ts";
import { listen, type ServeHandler, type Tls } from "../../lib/http/serve.ts";
import { publicCors } from "../../lib/inbound/cors.ts";
import type { Inbound } from "../../lib/inbound/inbound.ts";
import type { Caller } from "../../lib/oauth/caller.ts";
import { OAuthError } from "../../lib/oauth/errors.ts";
import { none } from "../../lib/outbound/none.ts";
import type { Outbound, OutboundContext } from "../../lib/outbound/outbound.ts";
import { openUpstream } from "../../lib/upstream/open.ts";
import { keepCarried } from "../support/secrets.ts";
import { watchedLog } from "../support/watched_log.ts";

/** A caller with a token of the same name. */
export function caller(name: string, more: Partial<Caller> = {}): Caller {
  return {
    subject: name,
    email: `${name}@example.com`,
    groups: [],
    clientId: `client-of-${name}`,
    scopes: [],
    expiresAtMs: Date.now() + 3_600_000,
    claims: {},
    ...more,
  };
}

/** An inbound whose tokens are names: `alice` is alice's token. */
export class NamedInbound implements Inbound {
  readonly callers = new Map<string, Caller>();
  readonly revokedGrants = new Set<string>();
  authentications = 0;

  constructor(...names: string[]) {
    for (const name of names) this.callers.set(name, caller(name));
  }

  mount(app: Hono): void {
    app.use("/.well-known/oauth-protected-resource/mcp", publicCors());
    app.get("/.well-known/oauth-protected-resource/mcp", (context) => context.json({ resource: "x" }));
    app.use("/token", publicCors());
    app.post("/token", (context) => context.json({ access_token: "x" }));
  }

  authenticate(bearer: string): Promise<Caller> {
    this.authentications++;
    const found = this.callers.get(bearer);
    if (found !== undefined) return Promise.resolve(found);
    return Promise.reject(new OAuthError("invalid_token", "The access token is not valid", { status: 401 }));
  }

  challenge(error?: OAuthError): string {
    return `Bearer ${error === undefined ? "" : `error="${error.code}", `}resource_metadata="http://x/"`;
  }

  revoked(who: Caller): Promise<boolean> {
    return Promise.resolve(this.revokedGrants.has(who.subject));
  }

  ready(): Promise<void> {
    return Promise.resolve();
  }

  reachable(): Promise<boolean> {
    return Promise.resolve(true);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

/** The settings of tests; every limit is off. */
export const settings: FrontSettings = {
  listen: { hostname: "127.0.0.1", port: 0 },
  identity: {},
  limits: {
    enabled: false,
    perMinute: { discovery: 0, register: 0, authorize: 0, consent: 0, callback: 0, token: 0, mcp: 0 },
    perSubjectConcurrency: 0,
    perSubjectPerMinute: 0,
    trustedProxies: [],
    trustedProxyHeader: "x-forwarded-for",
    trustAnyProxy: false,
    maxBodyBytes: 64 * 1024 * 1024,
    bodyReadTimeoutMs: 30_000,
    headerReadTimeoutMs: 30_000,
    idleTimeoutMs: 650_000,
  },
  cors: { origins: ["https://claude.ai"] },
  identityHeaders: true,
  upstreamHeaders: [],
  standingStreams: true,
  keepAliveCommentMs: 15_000,
  accessLog: { bodyMaxBytes: 65_536, hashSubjects: false },
  toolMetrics: { enabled: false, maxCardinality: 256 },
  baseUrl: "http://127.0.0.1:1",
  mountPath: "/mcp",
  endpoints: new Map([["/token", "token"]]),
};

/** What a test starts with. */
export interface FrontOptions {
  readonly upstream: URL | ((request: Request) => Response | Promise<Response>);
  readonly settings?: Partial<FrontSettings>;
  readonly inbound?: NamedInbound;
  readonly outbound?: (context: OutboundContext) => Outbound | Promise<Outbound>;
  readonly log?: Logger;
  readonly firstByteTimeoutMs?: number;
  readonly connectTimeoutMs?: number;
  /** Serves it over TLS, by the runtime's server. */
  readonly tls?: Tls;
}

/** Starts the surface on a free port. */
export async function startFront(options: FrontOptions) {
  const inbound = options.inbound ?? new NamedInbound("alice", "bob");
  const counters = memoryCounters();
  const log = watchedLog(options.log);
  const http = openHttpClient();
  const clock = systemClock;
  const context = { http, clock, log };
  const answer = options.upstream;
  const behind = answer instanceof URL
    ? undefined
    : Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, answer);
  const url = answer instanceof URL ? answer : new URL(`http://127.0.0.1:${behind?.addr.port}/mcp`);
  const upstream = await openUpstream({
    kind: "url",
    url,
    connectTimeoutMs: options.connectTimeoutMs ?? 2_000,
    firstByteTimeoutMs: options.firstByteTimeoutMs ?? 0,
  }, { http, httpConfig: { caFiles: [], noProxy: [] }, log });
  const keys = await keyRing(["a secret of at least thirty-two bytes, for tests"]);
  const sealer = jweSealer({ keys, audience: "http://127.0.0.1", clock, log });
  const outbound = await (options.outbound ?? (() => none.create({}, context)))(context);
  const front = await buildFront({ ...settings, ...options.settings }, {
    inbound,
    outbound,
    upstream,
    sealer,
    clock,
    counters,
    log,
  });
  const place = { hostname: "127.0.0.1", port: 0 };
  const handler: ServeHandler = (request, peer) => {
    keepCarried(request.headers, "");
    return front.handler(request, peer);
  };
  const server = options.tls === undefined
    ? listen(place, handler, log)
    : listen({ ...place, tls: options.tls }, handler, log);
  return {
    front,
    inbound,
    counters,
    server,
    port: server.port,
    origin: `http://127.0.0.1:${server.port}`,
    url: `http://127.0.0.1:${server.port}/mcp`,
    async [Symbol.asyncDispose]() {
      await server.drain({ deadlineMs: 2_000, onClosed: () => front.close() });
      await upstream[Symbol.asyncDispose]();
      http.close();
      await behind?.shutdown();
      log.check();
    },
  };
}
