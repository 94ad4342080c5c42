/**
 * The public keys of an issuer, fetched when first needed and kept.
 *
 *     fresh ──> jose picks the key ──found──> key
 *       │ old: these serve on while newer ones are fetched
 *       └ no such key: fetch once more, but that at most once a minute
 *
 * Whoever asks while a fetch is under way waits for that one. A failure is transient: it is never a reason to call a
 * token bad.
 */
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";
import { readLimitedText } from "../base/body.ts";
import type { Clock } from "../base/clock.ts";
import { type Counters, noCounters } from "../base/counters.ts";
import { describeError } from "../base/errors.ts";
import type { HttpClient } from "../base/http_client.ts";
import { type Logger, safeUrl } from "../base/log.ts";
import { idpCalls, measured } from "../base/measured.ts";

/** The issuer's keys could not be fetched; ask again later. */
export class KeysUnavailable extends Error {
  override readonly name = "KeysUnavailable";
}

/** What keys are fetched with. */
export interface RemoteKeysOptions {
  /** The `jwks_uri`; asked again before each fetch, so that it may come from discovery. */
  readonly uri: () => Promise<string>;
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters?: Counters;
}

/** An issuer's keys. */
export interface RemoteKeys {
  /** For jose's `jwtVerify`. @throws KeysUnavailable, or jose's `JWKSNoMatchingKey`. */
  readonly get: JWTVerifyGetKey;
  /** Resolves when there are keys. @throws KeysUnavailable */
  ready(): Promise<void>;
  /** A text that changes when the keys do; has newer ones fetched when they have become old. @throws KeysUnavailable */
  edition(): Promise<string>;
}

/** Keys that are older have newer ones fetched when they are next used. */
const maxAgeMs = 10 * 60_000;
/** The least time between two fetches for the sake of a key that is not there. */
const unknownKeyFloorMs = 60_000;
/** The least time between two fetches that fail. */
const failureFloorMs = 2_000;
const timeoutMs = 5_000;
const maxBytes = 512 * 1024;

interface Kept {
  readonly pick: JWTVerifyGetKey;
  /** The document as it came. */
  readonly edition: string;
  readonly atMs: number;
}

/** Nothing is fetched before the first call. */
export function remoteKeys(options: RemoteKeysOptions): RemoteKeys {
  const { uri, http, clock, log, counters = noCounters } = options;
  const metrics = idpCalls(counters);
  let kept: Kept | undefined;
  let failed: { readonly error: KeysUnavailable; readonly atMs: number } | undefined;
  let pending: Promise<void> | undefined;
  let unknownAtMs = -Infinity;

  async function fetchKeys(): Promise<void> {
    let url = "";
    try {
      url = await uri();
      const response = await http.fetch(url, { headers: { accept: "application/json" }, timeoutMs });
      const text = await readLimitedText(response, maxBytes);
      if (response.status !== 200) throw new Error(`HTTP ${response.status}`);
      const keySet = JSON.parse(text) as JSONWebKeySet;
      kept = { pick: createLocalJWKSet(keySet), edition: text, atMs: clock.now() };
      failed = undefined;
      log.debug("jwks_fetched", { url: safeUrl(url) });
    } catch (cause) {
      const error = new KeysUnavailable(`Cannot get the issuer's keys: ${describeError(cause)}`, { cause });
      failed = { error, atMs: clock.now() };
      log.warn("jwks_unavailable", { url: safeUrl(url), cause: describeError(cause) });
      throw error;
    }
  }

  /** One fetch for all who want one now. */
  async function refresh(): Promise<void> {
    if (pending === undefined) {
      if (failed !== undefined && clock.now() - failed.atMs < failureFloorMs) throw failed.error;
      pending = measured(metrics, { call: "keys" }, fetchKeys).finally(() => pending = undefined);
    }
    await pending;
  }

  /** A fetch that fails has answered nothing, so it is not what the next one has to keep a minute from. */
  async function refreshForUnknown(): Promise<void> {
    try {
      await refresh();
    } catch (error) {
      unknownAtMs = -Infinity;
      throw error;
    }
  }

  async function current(): Promise<Kept> {
    if (kept === undefined) await refresh();
    // Nobody waits for newer ones: an issuer that hangs would hold up every caller.
    else if (clock.now() - kept.atMs >= maxAgeMs) refresh().catch(() => {});
    if (kept === undefined) throw new KeysUnavailable("Cannot get the issuer's keys");
    return kept;
  }

  return {
    async get(header, token) {
      const keys = await current();
      try {
        return await keys.pick(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
        // Whoever came while the fetch was under way may pick from what it brought.
        if (pending === undefined && keys === kept) {
          if (clock.now() - unknownAtMs < unknownKeyFloorMs) throw error;
          unknownAtMs = clock.now();
        }
      }
      if (keys === kept) await refreshForUnknown();
      return await (await current()).pick(header, token);
    },
    async ready() {
      await current();
    },
    edition: async () => (await current()).edition,
  };
}
