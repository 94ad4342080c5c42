/** An IdP whose calls are counted, so that operators see whether logins wait for it or fail at it. */
import type { Counters } from "../base/counters.ts";
import { type CallMetrics, idpCalls, measured } from "../base/measured.ts";
import { type Idp, IdpError } from "./idp.ts";

/** Where calls of an IdP are counted; `dead`: it refused, `transient`: it did not answer as it should. */
export function idpMetrics(counters: Counters): CallMetrics {
  return idpCalls(
    counters,
    (error) => error instanceof IdpError && error.kind === "dead" ? "refused" : "failed",
  );
}

/** The same IdP, counted in `counters`. */
export function measuredIdp(idp: Idp, counters: Counters): Idp {
  const metrics = idpMetrics(counters);
  return {
    ...idp,
    exchange: (callback) => measured(metrics, { call: "exchange" }, () => idp.exchange(callback)),
    refresh: (token) => measured(metrics, { call: "refresh" }, () => idp.refresh(token)),
    revoke: (token) => measured(metrics, { call: "revoke" }, () => idp.revoke(token)),
  };
}
