import type { Clock } from "../base/clock.ts";
import { type Counters, noCounters } from "../base/counters.ts";
import { UserError } from "../base/errors.ts";
import type { HttpClient } from "../base/http_client.ts";
import type { Logger } from "../base/log.ts";
import type { Sealer } from "../crypto/sealer.ts";
import type { Store } from "../store/store.ts";
import type { InboundConfig } from "./config.ts";
import type { Inbound } from "./inbound.ts";

/** What a shape is made with. */
export interface InboundContext {
  readonly sealer: Sealer;
  readonly store: Store;
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters?: Counters;
}

/** The OAuth front of a configuration; only the shape that is used is loaded. */
export async function openInbound(config: InboundConfig, context: InboundContext): Promise<Inbound> {
  switch (config.shape) {
    case "bridge": {
      const [{ createBridge }, { openIdp }] = await Promise.all([
        import("./bridge/bridge.ts"),
        import("../idp/oidc.ts"),
      ]);
      const { sealer, store, clock, log, counters = noCounters } = context;
      const idp = openIdp(config.idp, context);
      return createBridge({ config, sealer, store, idp, clock, log, counters });
    }
    case "remote":
    case "none":
      throw new UserError(`Cannot start with the inbound shape ${config.shape}: not available yet`);
  }
}
