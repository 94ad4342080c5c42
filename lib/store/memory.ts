import type { Clock } from "../base/clock.ts";
import type { Entry, Key, Store } from "./store.ts";

interface Kept {
  readonly json: string;
  readonly version: string;
  readonly expiresAtMs: number;
}

/** How many writes go by between two sweeps of what has expired. */
const sweepEvery = 1_000;

/** A store that lives and dies with the process: for tests, and for what may be forgotten. */
export function memoryStore(clock: Clock): Store {
  const kept = new Map<string, Kept>();
  let writes = 0;

  function live(name: string): Kept | undefined {
    const found = kept.get(name);
    if (found === undefined || clock.now() < found.expiresAtMs) return found;
    kept.delete(name);
    return undefined;
  }

  function write(name: string, value: unknown, expiresAtMs: number): void {
    kept.set(name, { json: JSON.stringify(value), version: String(++writes), expiresAtMs });
    if (writes % sweepEvery === 0) { for (const each of kept.keys()) live(each); }
  }

  // The work is done before the first await of the caller, so racing calls are one after the other.
  return {
    get<T>(key: Key): Promise<Entry<T> | undefined> {
      const found = live(join(key));
      return Promise.resolve(found && { value: JSON.parse(found.json) as T, version: found.version });
    },
    put(key, value, ttlMs) {
      write(join(key), value, clock.now() + ttlMs);
      return Promise.resolve();
    },
    putIf(key, version, value, ttlMs) {
      if (live(join(key))?.version !== version) return Promise.resolve(false);
      write(join(key), value, clock.now() + ttlMs);
      return Promise.resolve(true);
    },
    add(key, amount, ttlMs) {
      const found = live(join(key));
      const sum = (found === undefined ? 0 : Number(JSON.parse(found.json))) + amount;
      write(join(key), sum, found?.expiresAtMs ?? clock.now() + ttlMs);
      return Promise.resolve(sum);
    },
    delete(key) {
      kept.delete(join(key));
      return Promise.resolve();
    },
    deleteIf(key, version) {
      if (live(join(key))?.version !== version) return Promise.resolve(false);
      return Promise.resolve(kept.delete(join(key)));
    },
    ping: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** The parts as one text; no two different keys give the same. */
function join(key: Key): string {
  return JSON.stringify(key);
}
