/** A store whose calls are counted, so that operators see it slow down or go. */
import type { Counters } from "../base/counters.ts";
import { measured } from "../base/measured.ts";
import type { Store } from "./store.ts";

/** Whether the last call succeeded; what is not known yet counts as up. */
export interface MeasuredStore extends Store {
  readonly up: boolean;
}

/** The same store, counted in `counters`. */
export function measuredStore(store: Store, counters: Counters): MeasuredStore {
  let up = true;
  const outcomeOf = () => {
    up = false;
    return "failed";
  };
  const metrics = {
    counters,
    seconds: "mcp_doorman_store_seconds",
    total: "mcp_doorman_store_calls_total",
    outcomeOf,
  };
  const call = async <T>(operation: string, work: () => Promise<T>): Promise<T> => {
    const result = await measured(metrics, { operation }, work);
    up = true;
    return result;
  };
  return {
    get up() {
      return up;
    },
    get: (key) => call("get", () => store.get(key)),
    put: (key, value, ttlMs) => call("put", () => store.put(key, value, ttlMs)),
    putIf: (key, version, value, ttlMs) => call("putIf", () => store.putIf(key, version, value, ttlMs)),
    add: (key, amount, ttlMs) => call("add", () => store.add(key, amount, ttlMs)),
    delete: (key) => call("delete", () => store.delete(key)),
    deleteIf: (key, version) => call("deleteIf", () => store.deleteIf(key, version)),
    ping: () => call("ping", () => store.ping()),
    ...(store.redis === undefined ? {} : { redis: store.redis }),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}
