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
  /** `undefined` when the request may pass. */
  take(key: string): Promise<Limited | undefined>;
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
    return {
      async take(key) {
        try {
          await limiter.consume(key);
          return undefined;
        } catch (refusal) {
          if (refusal instanceof Error) return undefined;
          const { msBeforeNext } = refusal as { msBeforeNext: number };
          return { retryAfterSec: Math.max(1, Math.ceil(msBeforeNext / 1000)) };
        }
      },
    };
  };
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
