/**
 * Rates and concurrency. Rates are counted per address before authentication and per subject after it, by
 * rate-limiter-flexible: in memory, or in Redis where replicas share one. Calls at once are counted here, per process.
 */
import type { RateLimiterAbstract } from "rate-limiter-flexible";

/** A refusal: how long to wait. */
export interface Limited {
  readonly retryAfterSec: number;
}

/** Counts requests per key within a minute. */
export interface RateLimit {
  /** `undefined` when the request may pass; mostly at once, without a promise. */
  take(key: string): Limited | undefined | Promise<Limited | undefined>;
}

/** Makes limits; `redis` is ioredis' client where replicas share the counts. */
export async function openRateLimits(options: {
  readonly redis?: unknown;
  readonly keyPrefix?: string;
}): Promise<(name: string, perMinute: number) => RateLimit | undefined> {
  // The package's index loads a dozen stores; these two files are all that is needed.
  const { default: RateLimiterMemory } = await import("rate-limiter-flexible/lib/RateLimiterMemory.js");
  const redis = options.redis === undefined
    ? undefined
    : (await import("rate-limiter-flexible/lib/RateLimiterRedis.js")).default;
  return (name, perMinute) => {
    if (perMinute <= 0) return undefined;
    const common = { points: perMinute, duration: 60, keyPrefix: `${options.keyPrefix ?? ""}rate:${name}` };
    const memory = new RateLimiterMemory(common);
    const limiter: RateLimiterAbstract = redis === undefined
      ? memory
      // Without Redis the limit holds per process for the time being; it never lets everything or nothing through.
      : new redis({ ...common, storeClient: options.redis, insuranceLimiter: memory });
    return new LeasedLimit(limiter, perMinute);
  };
}

const maxLeases = 10_000;
const maxLeasePoints = 64;

interface Lease {
  left: number;
  readonly endsAtMs: number;
}

/**
 * Asks the library for some requests at once and spends them without asking, which saves most of what a limit costs,
 * and of the calls to Redis. So many that they make up the limit exactly and are at most a fiftieth of it.
 */
class LeasedLimit implements RateLimit {
  readonly #leases = new Map<string, Lease>();
  readonly #asking = new Map<string, Promise<Limited | undefined>>();
  readonly #points: number;

  constructor(private readonly limiter: RateLimiterAbstract, perMinute: number) {
    let points = Math.max(1, Math.min(maxLeasePoints, Math.floor(perMinute / 50)));
    while (perMinute % points !== 0) points--;
    this.#points = points;
  }

  take(key: string): undefined | Promise<Limited | undefined> {
    const lease = this.#leases.get(key);
    if (lease === undefined || lease.left === 0 || Date.now() >= lease.endsAtMs) {
      return this.#points === 1 ? this.#consume(key) : this.#lease(key);
    }
    lease.left--;
    return undefined;
  }

  /** Who comes while a lease is asked for spends from it. */
  async #lease(key: string): Promise<Limited | undefined> {
    let asking = this.#asking.get(key);
    if (asking === undefined) {
      asking = this.#consume(key).finally(() => this.#asking.delete(key));
      this.#asking.set(key, asking);
    }
    return await asking ?? this.take(key);
  }

  async #consume(key: string): Promise<Limited | undefined> {
    try {
      const { msBeforeNext } = await this.limiter.consume(key, this.#points);
      this.#keep(key, Date.now() + msBeforeNext);
      return undefined;
    } catch (refusal) {
      if (refusal instanceof Error) {
        this.#keep(key, Date.now() + 1_000);
        return undefined;
      }
      const { msBeforeNext } = refusal as { msBeforeNext: number };
      return { retryAfterSec: Math.max(1, Math.ceil(msBeforeNext / 1000)) };
    }
  }

  #keep(key: string, endsAtMs: number): void {
    if (this.#points === 1) return;
    if (this.#leases.size >= maxLeases) this.#leases.clear();
    this.#leases.set(key, { left: this.#points, endsAtMs });
  }
}

/** Calls at once per subject. */
export class Concurrency {
  readonly #running = new Map<string, number>();

  /** `limit` 0: none. */
  constructor(private readonly limit: number) {}

  /** Takes a place; `false` when all are taken. Each place taken is given back once. */
  take(subject: string): boolean {
    if (this.limit === 0) return true;
    const running = this.#running.get(subject) ?? 0;
    if (running >= this.limit) return false;
    this.#running.set(subject, running + 1);
    return true;
  }

  give(subject: string): void {
    if (this.limit === 0) return;
    const running = this.#running.get(subject) ?? 0;
    if (running <= 1) this.#running.delete(subject);
    else this.#running.set(subject, running - 1);
  }
}
