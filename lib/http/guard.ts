/**
 * The bearer check. A token that was verified once is remembered until it ends; whether it was revoked since is asked
 * again within a second, which is the time a revocation takes to be noticed everywhere.
 *
 *     Authorization -> remembered? -> revocation asked within a second? -> Caller
 *                         |               `-> inbound.revoked, once for all who come -> Caller, or 401
 *                         `-> inbound.authenticate -> Caller, or OAuthError (401, 403, 503)
 */
import type { Clock } from "../base/clock.ts";
import { type Counters, noCounters } from "../base/counters.ts";
import type { Inbound } from "../inbound/inbound.ts";
import type { Caller } from "../oauth/caller.ts";
import { OAuthError } from "../oauth/errors.ts";

/** How long a revocation may stay unnoticed, in milliseconds. */
export const revocationWindowMs = 1_000;

/** Asked ahead of that time, so that in a busy hour nobody waits for the store. */
const askAgainAfterMs = revocationWindowMs / 2;

const maxRemembered = 20_000;

const maxTokenLength = 16_384;

interface Remembered {
  readonly caller: Caller;
  checkedAtMs: number;
  /** Asked again just now, for all who come meanwhile. */
  checking: Promise<boolean> | undefined;
}

/** Turns the `Authorization` header into a caller. */
export class Guard {
  readonly #remembered = new Map<string, Remembered>();
  readonly #verifying = new Map<string, Promise<Caller>>();

  constructor(
    private readonly inbound: Inbound,
    private readonly clock: Clock,
    private readonly counters: Counters = noCounters,
  ) {}

  /**
   * The caller; at once, without a promise, for a token that was checked a moment ago.
   * @throws OAuthError
   */
  caller(authorization: string | null): Caller | Promise<Caller> {
    if (this.inbound.anybody !== undefined) return this.inbound.anybody;
    const bearer = bearerText(authorization);
    const known = this.#remembered.get(bearer);
    if (known === undefined) return this.#verify(checkedBearer(bearer));
    const now = this.clock.now();
    if (now >= known.caller.expiresAtMs) {
      this.#remembered.delete(bearer);
      return this.#verify(bearer);
    }
    const ageMs = now - known.checkedAtMs;
    if (ageMs < askAgainAfterMs) return known.caller;
    known.checking ??= this.#isAlive(bearer, known, now).finally(() => known.checking = undefined);
    if (ageMs >= revocationWindowMs) return this.#aliveCaller(known, known.checking);
    // Nobody waits for the answer yet; without one, whoever comes when the time is over asks again.
    known.checking.catch(() => {});
    return known.caller;
  }

  /** Parallel requests with a new token wait for one verification. */
  #verify(bearer: string): Promise<Caller> {
    let pending = this.#verifying.get(bearer);
    if (pending === undefined) {
      pending = this.#authenticate(bearer).finally(() => this.#verifying.delete(bearer));
      this.#verifying.set(bearer, pending);
    }
    return pending;
  }

  async #authenticate(bearer: string): Promise<Caller> {
    const caller = await this.inbound.authenticate(bearer);
    const now = this.clock.now();
    if (caller.expiresAtMs <= now) throw this.#refused("token_expired", "The access token has expired");
    if (this.#remembered.size >= maxRemembered) {
      const oldest = this.#remembered.keys().next().value;
      if (oldest !== undefined) this.#remembered.delete(oldest);
    }
    this.#remembered.set(bearer, { caller, checkedAtMs: now, checking: undefined });
    return caller;
  }

  #refused(reason: string, description: string): OAuthError {
    this.counters.add("mcp_auth_access_denied_total", { reason });
    return new OAuthError("invalid_token", description, { status: 401, reason });
  }

  async #isAlive(bearer: string, known: Remembered, now: number): Promise<boolean> {
    const revoked = await this.inbound.revoked(known.caller);
    if (revoked) this.#remembered.delete(bearer);
    else known.checkedAtMs = now;
    return !revoked;
  }

  async #aliveCaller({ caller }: Remembered, alive: Promise<boolean>): Promise<Caller> {
    if (await alive) return caller;
    throw this.#refused("token_revoked", "The access token was revoked");
  }
}

/** Why a request without any credential is refused; its challenge carries no error (RFC 6750 section 3.1). */
export class NoCredentials extends OAuthError {
  constructor() {
    super("invalid_request", "A bearer token is needed", { status: 401, reason: "no_credentials" });
  }
}

/** What follows the scheme of an `Authorization` header (RFC 6750 section 2.1); the scheme's case does not matter. */
function bearerText(authorization: string | null): string {
  if (authorization === null || !/^bearer(?: |$)/i.test(authorization)) throw new NoCredentials();
  return authorization.slice(7);
}

/** A text that can be a token at all (`b64token`), so that nothing else reaches a verifier. */
function checkedBearer(text: string): string {
  if (text.length <= maxTokenLength && /^[A-Za-z0-9._~+/-]+=*$/.test(text)) return text;
  throw new OAuthError("invalid_token", "The access token is malformed", {
    status: 401,
    reason: "invalid_token",
  });
}
