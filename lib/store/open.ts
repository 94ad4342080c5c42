import { dirname } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { StoreConfig } from "./config.ts";
import type { Store } from "./store.ts";

/** What a store is opened with. */
export interface StoreContext {
  readonly clock: Clock;
  readonly log: Logger;
  /** PEM certificates to trust beside the system's. */
  readonly caCerts?: readonly string[];
}

type Open<C> = (config: C, context: StoreContext) => Promise<Store>;

/** The list of stores. */
const stores: { readonly [K in StoreConfig["kind"]]: Open<Extract<StoreConfig, { kind: K }>> } = {
  kv: async ({ path }, { clock, log }) => {
    const { lockStateFolder } = await import("./state_lock.ts");
    const { openKv } = await import("./kv.ts");
    const lock = await lockStateFolder(dirname(path));
    try {
      return releasing(await openKv(path, clock, log), lock);
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  },
  redis: async (config, { log, caCerts }) => {
    const { openRedis } = await import("./redis.ts");
    return await openRedis({ ...config, ...(caCerts && { caCerts }) }, log);
  },
};

/**
 * Opens the store that is configured, for the process that serves.
 * @throws UserError when it cannot be used: no place to write, a second process, a refused password.
 */
export async function openStore(config: StoreConfig, context: StoreContext): Promise<Store> {
  const open = stores[config.kind] as Open<StoreConfig>;
  return await open(config, context);
}

function releasing(store: Store, lock: Disposable): Store {
  return {
    ...store,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      lock[Symbol.dispose]();
    },
  };
}
