import type { Clock } from "../../base/clock.ts";
import type { Counters } from "../../base/counters.ts";
import type { Logger } from "../../base/log.ts";
import type { Sealer } from "../../crypto/sealer.ts";
import type { Idp } from "../../idp/idp.ts";
import type { Store } from "../../store/store.ts";
import type { BridgeConfig } from "../config.ts";
import type { ClientDocuments } from "./client_documents.ts";
import type { VerifyAssertion } from "./grant_assertion.ts";

/** What every step of the bridge is made with. */
export interface BridgeParts {
  readonly config: BridgeConfig;
  readonly sealer: Sealer;
  readonly store: Store;
  readonly idp: Idp;
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters: Counters;
  /** Assertions about users by other IdPs; absent: not taken. */
  readonly assertions?: VerifyAssertion;
  /** Client id metadata documents; absent: not offered. */
  readonly documents?: ClientDocuments;
}

/** The addresses of our own endpoints, made of the base URL only: what a request says of its host is never used. */
export function endpoints(config: BridgeConfig) {
  const at = (path: string) => config.baseUrl + path;
  return {
    authorize: at("/authorize"),
    token: at("/token"),
    register: at(config.paths.register),
    revoke: at("/revoke"),
    callback: at(config.paths.callback),
  };
}
