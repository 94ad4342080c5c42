import type { Counters, Labels } from "./counters.ts";

/** Where calls of one kind are counted: times under `seconds`, outcomes under `total`. */
export interface CallMetrics {
  readonly counters: Counters;
  readonly seconds: string;
  readonly total: string;
  /** The word for a call that failed; one that did not is `ok`. */
  readonly outcomeOf: (error: unknown) => string;
}

/**
 * Calls of an IdP, whoever makes them: discovery, keys, exchange, refresh, revoke, outbound.
 */
export function idpCalls(
  counters: Counters,
  outcomeOf: CallMetrics["outcomeOf"] = () => "failed",
): CallMetrics {
  return {
    counters,
    seconds: "mcp_doorman_idp_seconds",
    total: "mcp_doorman_idp_calls_total",
    outcomeOf,
  };
}

/** Does the work, and counts how long it took and how it ended. */
export async function measured<T>(
  { counters, seconds, total, outcomeOf }: CallMetrics,
  labels: Labels,
  work: () => Promise<T>,
): Promise<T> {
  const startedMs = performance.now();
  let outcome = "ok";
  try {
    return await work();
  } catch (error) {
    outcome = outcomeOf(error);
    throw error;
  } finally {
    counters.times(seconds, labels).observe((performance.now() - startedMs) / 1_000);
    counters.add(total, { ...labels, outcome });
  }
}
