import type { Clock } from "../base/clock.ts";

/** A token and when it ends; without an end it is kept until the upstream refuses it. */
export interface FetchedToken {
  readonly accessToken: string;
  readonly expiresAtMs?: number;
}

/** A token is asked for again this long before it ends. */
const skewMs = 60_000;
/** A token is not thrown away sooner than this after it was fetched. */
const keepAtLeastMs = 5_000;

/**
 * One token that is fetched when it is first needed, kept until a minute before its end, and fetched again once it
 * was refused. Everybody who asks at the same time waits for the same request.
 */
export class CachedToken {
  #token: FetchedToken | undefined;
  #fetchedAtMs = 0;
  #pending: Promise<FetchedToken> | undefined;

  constructor(private readonly fetchToken: () => Promise<FetchedToken>, private readonly clock: Clock) {}

  /** The token now; a plain value when it is at hand, so that the common case costs no turn of the event loop. */
  current(): string | Promise<string> {
    const token = this.#token;
    if (token !== undefined && this.#fresh(token)) return token.accessToken;
    return this.#fetch();
  }

  /**
   * The token was refused. One that was fetched a moment ago is kept: either others were refused with its predecessor
   * at the same time, or a new one would be refused as well and the token endpoint is not to be flooded.
   */
  forget(): void {
    if (this.clock.now() - this.#fetchedAtMs >= keepAtLeastMs) this.#token = undefined;
  }

  #fresh({ expiresAtMs }: FetchedToken): boolean {
    return expiresAtMs === undefined || expiresAtMs - this.clock.now() > skewMs;
  }

  async #fetch(): Promise<string> {
    this.#pending ??= this.fetchToken().finally(() => this.#pending = undefined);
    // A token that lives for less than the skew is used for the requests that waited for it, and not kept.
    const token = await this.#pending;
    if (this.#token !== token) {
      this.#token = token;
      this.#fetchedAtMs = this.clock.now();
    }
    return token.accessToken;
  }
}
