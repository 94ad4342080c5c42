/** Puts the public surface together from its plugs; `modes/http.ts` gives it real ones, a test any. */
import { Hono } from "hono";
import type { Clock } from "../base/clock.ts";
import type { Counters } from "../base/counters.ts";
import type { Logger } from "../base/log.ts";
import type { Sealer } from "../crypto/sealer.ts";
import type { Inbound } from "../inbound/inbound.ts";
import type { Outbound } from "../outbound/outbound.ts";
import { headerSieve } from "../upstream/headers.ts";
import type { Upstream } from "../upstream/upstream.ts";
import { Answering } from "./answer.ts";
import { type App, appOf, type EndpointRate } from "./app.ts";
import { BodyReader, smallBodyBytes } from "./body.ts";
import { addressReader } from "./client_address.ts";
import type { HttpConfig } from "./config.ts";
import { Guard } from "./guard.ts";
import { identityHeaderNames } from "./identity_headers.ts";
import { identityRewrite } from "./identity.ts";
import type { Landing } from "./landing/page.ts";
import { mcpHandler } from "./mcp.ts";
import { originRules } from "./origin.ts";
import { Concurrency, openRateLimits, type RateLimit } from "./rate_limit.ts";
import { RequestLog } from "./request_log.ts";
import { Sessions } from "./sessions.ts";
import { Streams } from "./streams.ts";
import { ToolMetrics } from "./tool_metrics.ts";
import { ToolGate } from "./tool_rules/gate.ts";
import { UpstreamMetrics } from "./upstream_metrics.ts";

/** The settings that the surface itself needs. */
export type FrontSettings =
  & Pick<
    HttpConfig,
    | "listen"
    | "identity"
    | "limits"
    | "cors"
    | "identityHeaders"
    | "upstreamHeaders"
    | "standingStreams"
    | "keepAliveCommentMs"
    | "accessLog"
    | "toolMetrics"
    | "upstreamPathOverride"
    | "toolRules"
  >
  & {
    readonly baseUrl: string;
    readonly mountPath: string;
    /** What a browser is told that opens the mount. */
    readonly landing?: Landing;
    /** Endpoint paths by the name of their rate. */
    readonly endpoints: ReadonlyMap<string, keyof HttpConfig["limits"]["perMinute"]>;
  };

/** The plugs. */
export interface FrontPlugs {
  readonly inbound: Inbound;
  readonly outbound: Outbound;
  readonly upstream: Upstream;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Logger;
  /** ioredis' client and the prefix of its keys, where replicas share rates. */
  readonly redis?: { readonly client: unknown; readonly keyPrefix: string };
}

/** The public surface. */
export interface Front extends App {
  readonly streams: Streams;
  /** Exact paths that are answered without a bearer token. */
  readonly publicPaths: readonly string[];
  close(): void;
}

/** Builds the public surface. */
export async function buildFront(settings: FrontSettings, plugs: FrontPlugs): Promise<Front> {
  const { inbound, clock, counters, log } = plugs;
  const { limits, accessLog } = settings;
  const endpoints = new Hono();
  inbound.mount(endpoints);
  endpoints.notFound((context) => context.json({ error: "method_not_allowed" }, 405));
  endpoints.onError((error) => {
    throw error;
  });

  const rate = await rates(limits.enabled, plugs);
  const names = new Map(settings.endpoints);
  for (const { path } of endpoints.routes) {
    if (path.includes("/.well-known/") && !path.endsWith("*") && !names.has(path)) {
      names.set(path, "discovery");
    }
  }
  const endpointRates = new Map<string, EndpointRate>();
  for (const name of new Set(names.values())) {
    const limit = rate(name, limits.perMinute[name]);
    // All paths of one name count together.
    for (const [path, of] of names) {
      if (of === name) endpointRates.set(path, { name, ...(limit === undefined ? {} : { limit }) });
    }
  }

  const sessions = new Sessions(plugs.sealer);
  const streams = new Streams(settings.keepAliveCommentMs);
  const requestLog = new RequestLog({
    log,
    counters,
    ...(accessLog.skip === undefined ? {} : { skip: accessLog.skip }),
    ...(settings.toolMetrics.enabled
      ? { tools: new ToolMetrics({ counters, maxTools: settings.toolMetrics.maxCardinality }) }
      : {}),
  });
  const identity = identityRewrite(settings.identity);
  const bodies = new BodyReader({ maxBytes: limits.maxBodyBytes, readTimeoutMs: limits.bodyReadTimeoutMs });
  const mcp = mcpHandler({
    guard: new Guard(inbound, clock, counters),
    sessions,
    outbound: plugs.outbound,
    upstream: plugs.upstream,
    bodies,
    answering: new Answering({ sessions, streams, inbound, requestLog, identity, now: () => clock.now() }),
    concurrency: new Concurrency(limits.perSubjectConcurrency),
    perAddress: rate("mcp", limits.perMinute.mcp),
    perSubject: rate("subject", limits.perSubjectPerMinute),
    identityHeaders: settings.identityHeaders,
    standingStreams: settings.standingStreams,
    peekMaxBytes: settings.toolMetrics.enabled
      ? Math.max(accessLog.bodyMaxBytes, smallBodyBytes)
      : accessLog.bodyMaxBytes,
    peekAlways: identity !== undefined || settings.toolRules !== undefined,
    upstreamMetrics: new UpstreamMetrics(counters),
    tools: settings.toolRules === undefined ? undefined : new ToolGate(settings.toolRules),
  });
  const app = appOf({
    sieve: headerSieve(
      [...identityHeaderNames, ...plugs.outbound.owns],
      settings.upstreamHeaders.filter(([name]) => !plugs.outbound.owns.includes(name)),
    ),
    mountPath: settings.mountPath,
    inbound,
    endpoints,
    origins: originRules({
      origins: settings.cors.origins,
      baseUrl: settings.baseUrl,
      hostname: settings.listen.hostname,
    }),
    mcp,
    endpointRates,
    address: addressReader({
      trustedProxies: limits.trustedProxies,
      header: limits.trustedProxyHeader,
      trustAnyProxy: limits.trustAnyProxy,
    }),
    requestLog,
    bodies,
    counters,
    log,
    ...(settings.upstreamPathOverride === undefined ? {} : { fixedSuffix: "" }),
    ...(settings.landing === undefined ? {} : { landing: settings.landing }),
  });
  return {
    ...app,
    streams,
    publicPaths: [...new Set(endpoints.routes.map((route) => route.path)), "/healthz"],
    close() {
      streams.close();
      bodies.close();
    },
  };
}

/** Limits by name and requests a minute; none at all where limits are off, so that the library stays unloaded. */
async function rates(
  enabled: boolean,
  plugs: FrontPlugs,
): Promise<(name: string, perMinute: number) => RateLimit | undefined> {
  if (!enabled) return () => undefined;
  return await openRateLimits(
    plugs.redis === undefined ? {} : { redis: plugs.redis.client, keyPrefix: plugs.redis.keyPrefix },
  );
}
