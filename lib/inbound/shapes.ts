import type { Clock } from "../base/clock.ts";
import { type Counters, noCounters } from "../base/counters.ts";
import type { HttpClient } from "../base/http_client.ts";
import type { HttpClientConfig } from "../base/http_config.ts";
import type { Logger } from "../base/log.ts";
import type { Sealer } from "../crypto/sealer.ts";
import type { Store } from "../store/store.ts";
import type { BridgeConfig, InboundConfig } from "./config.ts";
import type { Inbound } from "./inbound.ts";

/** What a shape is made with. */
export interface InboundContext {
  readonly sealer: Sealer;
  readonly store: Store;
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters?: Counters;
  /** The corporate network, for client metadata documents, which are fetched apart from everything else. */
  readonly httpConfig?: HttpClientConfig;
}

/** The OAuth front of a configuration; only the shape that is used is loaded. */
export async function openInbound(config: InboundConfig, context: InboundContext): Promise<Inbound> {
  switch (config.shape) {
    case "bridge": {
      const [{ createBridge }, { openIdp }, { measuredIdp }] = await Promise.all([
        import("./bridge/bridge.ts"),
        import("../idp/oidc.ts"),
        import("../idp/measured_idp.ts"),
      ]);
      const { sealer, store, clock, log, counters = noCounters } = context;
      const stop = new AbortController();
      const idp = measuredIdp(openIdp(config.idp, { ...context, signal: stop.signal }), counters);
      const documents = config.cimd.enabled ? { documents: await openDocuments(config, context) } : {};
      const assertions = config.assertionIssuers === undefined
        ? {}
        : { assertions: await openAssertions(config.assertionIssuers, config.baseUrl, context) };
      const bridge = createBridge({
        ...{ config, sealer, store, idp, clock, log, counters },
        ...documents,
        ...assertions,
      });
      return {
        ...bridge,
        async [Symbol.asyncDispose]() {
          stop.abort();
          await bridge[Symbol.asyncDispose]();
        },
      };
    }
    case "remote":
      return (await import("./remote.ts")).openRemote(config, context);
    case "none":
      return (await import("./none.ts")).openNone();
  }
}

async function openAssertions(issuers: readonly string[], audience: string, context: InboundContext) {
  const { assertionIssuers } = await import("./bridge/assertion_issuers.ts");
  return assertionIssuers(issuers, audience, context);
}

async function openDocuments(config: BridgeConfig, context: InboundContext) {
  const [{ clientDocuments }, { openGuardedFetch }, { endpoints }, { refusedRedirect }] = await Promise.all([
    import("./bridge/cimd.ts"),
    import("../base/guarded_fetch.ts"),
    import("./bridge/parts.ts"),
    import("./bridge/redirects.ts"),
  ]);
  const { clock, log, store, httpConfig = { caFiles: [], noProxy: [] } } = context;
  const { allowLoopback } = config.cimd;
  return clientDocuments({
    fetch: openGuardedFetch(httpConfig, { allowLoopback, log }),
    clock,
    log,
    store,
    allowsUri: (uri) => refusedRedirect(uri, config) === undefined,
    audiences: [config.baseUrl, endpoints(config).token],
    allowLoopback,
  });
}
