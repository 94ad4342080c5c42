/**
 * http mode, put together from its plugs, and its life:
 *
 *     log, keys, store -> inbound, outbound, upstream -> listen -> serve
 *       -> SIGTERM or SIGINT: the listener closes, standing streams end, calls finish, the deadline cuts the rest
 *       -> a second signal: exit at once
 */
import { certificateAuthorities } from "../base/ca.ts";
import { systemClock } from "../base/clock.ts";
import { memoryCounters } from "../base/counters.ts";
import { openHttpClient } from "../base/http_client.ts";
import { type Fields, type Logger, openLog, safeUrl } from "../base/log.ts";
import { pseudonym } from "../base/pseudonym.ts";
import { currentRequest, type RequestContext } from "../base/request_context.ts";
import { jweSealer } from "../crypto/jwe_sealer.ts";
import { openKeyRing } from "../crypto/key_ring.ts";
import { adminHandler } from "../http/admin.ts";
import { listenAdmin } from "../http/admin_listener.ts";
import type { HttpConfig } from "../http/config.ts";
import { endpointRates } from "../http/endpoint_rates.ts";
import { buildFront } from "../http/front.ts";
import { landingOf } from "../http/landing/landing_of.ts";
import { announceMetrics } from "../http/metric_table.ts";
import { processGauges } from "../http/process_gauges.ts";
import { readiness } from "../http/readiness.ts";
import { listen, type Listening } from "../http/serve.ts";
import { stopSignal } from "../http/stop_signal.ts";
import { readTls, renewOnChange } from "../http/tls.ts";
import { carryOut, openOrder } from "../inbound/bridge/orders.ts";
import { openInbound } from "../inbound/shapes.ts";
import { outboundMode } from "../outbound/modes.ts";
import { measuredStore } from "../store/measured_store.ts";
import { openStore } from "../store/open.ts";
import { openUpstream } from "../upstream/open.ts";
import { giveBack, keptPermissions } from "./permissions.ts";
import { workerLink } from "./worker_link.ts";
import { logStart } from "./startup_log.ts";

/** Runs until it is told to stop; the exit code. @throws UserError when it cannot start */
export async function runHttp(config: HttpConfig): Promise<number> {
  const link = workerLink();
  if (config.workers > 1 && link === undefined) {
    const { runWorkers } = await import("./workers.ts");
    return await runWorkers(config);
  }
  giveBack({ keepRun: config.upstream.kind !== "url" });
  const log = openLog(config.log, {
    context: () => requestFields(currentRequest()),
    ...(config.accessLog.hashSubjects ? { pseudonym } : {}),
  });
  if (log.enabled("debug")) log.debug("permissions_kept", { detail: keptPermissions() });
  const clock = systemClock;
  const counters = memoryCounters();
  announceMetrics(counters);
  logStart(config, log);
  // What the runtime has to say goes where everything else goes, and in the same form.
  console.warn = (...parts: unknown[]) =>
    log.debug("runtime_warning", { detail: parts.map(String).join(" ") });
  const tls = config.tls && await readTls(config.tls);
  await using parts = new AsyncDisposableStack();
  const http = parts.adopt(openHttpClient(config.http, { log }), (client) => client.close());
  const keys = await openKeyRing(config.keys, log);
  const onSeal = (purpose: string) => counters.add("mcp_auth_token_seals_total", { purpose });
  const sealer = jweSealer({ keys, audience: config.keys.audience, clock, log, onSeal });
  const caCerts = certificateAuthorities(config.http.caFiles, log);
  const store = parts.use(measuredStore(await openStore(config.store, { clock, log, caCerts }), counters));
  const inbound = parts.use(
    await openInbound(config.inbound, { sealer, store, http, clock, log, counters, httpConfig: config.http }),
  );
  const mode = outboundMode(config.outbound.mode);
  if (mode === undefined) throw new TypeError(`no outbound mode ${config.outbound.mode}`);
  const outbound = await mode.create(config.outbound.config, { http, clock, log, counters });
  const upstream = parts.use(await openUpstream(target(config), { http, httpConfig: config.http, log }));
  const landing = landingOf(config.inbound);
  const front = await buildFront(
    { ...config, endpoints: endpointRates(config), ...(landing === undefined ? {} : { landing }) },
    {
      inbound,
      outbound,
      upstream,
      sealer,
      clock,
      counters,
      log,
      ...(store.redis === undefined ? {} : { redis: store.redis }),
    },
  );
  parts.defer(() => front.close());

  const orderDesk = (ttlMs: number) => async (text: string) => {
    const order = await openOrder(sealer, text);
    if (order === undefined) return false;
    await carryOut(store, order, { nowMs: clock.now(), ttlMs });
    log.info("logins_revoked", { ...order, reason: "operator" });
    return true;
  };

  using stop = stopSignal();
  const reusePort = link !== undefined || config.reusePort;
  const limits = { headMs: config.limits.headerReadTimeoutMs, idleMs: config.limits.idleTimeoutMs };
  const place = { ...config.listen, reusePort, limits };
  const stopping = new AbortController();
  let server: Listening;
  if (config.tls !== undefined && tls !== undefined) {
    const renewable = listen({ ...place, tls }, front.handler, log);
    const { signal } = stopping;
    renewOnChange({ files: config.tls, tls, server: renewable, clock, counters, log, signal });
    server = renewable;
  } else server = listen(place, front.handler, log);
  let draining = false;
  let idpReached = false;
  // An IdP that is not there is waited for; the log says why it cannot be reached.
  inbound.ready().then(() => idpReached = true, () => {});
  const adminListen = link === undefined ? config.adminListen : { hostname: "127.0.0.1", port: 0 };
  logListening(config, server, front.publicPaths, log);
  const admin = adminListen && listenAdmin(
    { ...adminListen, reusePort: config.reusePort, limits },
    adminHandler({
      counters,
      gauges: [
        { name: "mcp_doorman_streams_open", read: () => front.streams.size },
        { name: "mcp_doorman_store_up", read: () => Number(store.up) },
        { name: "mcp_doorman_idp_reached", read: () => Number(idpReached) },
        ...processGauges(),
      ],
      ready: readiness({
        draining: () => draining,
        store: () => store.ping(),
        idpReached: () => idpReached,
        idp: () => inbound.reachable(),
        upstream: () => upstream.ready(),
      }),
      ...(config.inbound.shape === "bridge" ? { orders: orderDesk(config.inbound.grantTtlMs) } : {}),
    }),
    { clock, log },
  );

  link?.serving(admin?.port ?? 0);
  const signal = await Promise.race([stop.first, ...(link === undefined ? [] : [link.parentGone])]);
  draining = true;
  stopping.abort();
  log.info("shutting_down", { reason: signal });
  // On a shared port the other process answers for both; this one would only say now and then that it is going.
  if (config.reusePort && link === undefined) await admin?.drain();
  const finished = server.drain({
    deadlineMs: config.shutdownTimeoutMs,
    onClosed: () => front.streams.endStanding(),
    inFlight: front.inFlight,
  }).then((cut) => cut ? "shutdown_timeout" : "shutdown_complete");
  const ending = await Promise.race([finished, stop.second.then(() => "second_signal")]);
  if (ending === "second_signal") {
    log.warn("shutdown_forced");
    return 2;
  }
  if (!config.reusePort || link !== undefined) await admin?.drain();
  log.info(ending);
  return 0;
}

function requestFields(request: RequestContext | undefined): Fields | undefined {
  return request && { requestId: request.requestId };
}

/** The upstream's address; a fixed path takes the place of its own. */
function target({ upstream, upstreamPathOverride }: HttpConfig): HttpConfig["upstream"] {
  if (upstream.kind !== "url" || upstreamPathOverride === undefined) return upstream;
  return { ...upstream, url: new URL(upstreamPathOverride, upstream.url) };
}

function endpointText(upstream: HttpConfig["upstream"]): string {
  if (upstream.kind === "url") return safeUrl(upstream.url);
  return upstream.kind === "spawn" ? `child on port ${upstream.port}` : "a child for each session";
}

function logListening(
  config: HttpConfig,
  server: Listening,
  publicPaths: readonly string[],
  log: Logger,
): void {
  const { upstream } = config;
  log.info("listening", {
    address: server.hostname,
    port: server.port,
    url: safeUrl(new URL(config.mountPath, config.baseUrl)),
    mode: `${config.inbound.shape} in, ${config.outbound.mode} out`,
    endpoint: endpointText(upstream),
    routes: [`${config.mountPath} (bearer)`, ...publicPaths].join(" "),
  });
}
