/**
 * The IdP's metadata, fetched when it is first needed. An IdP that is down at start, or for a while, heals by
 * itself: calls ask again, at most once a second, and `ready` keeps asking in the background.
 */
import type { Clock } from "../base/clock.ts";
import { type Counters, noCounters } from "../base/counters.ts";
import { describeError } from "../base/errors.ts";
import type { HttpClient } from "../base/http_client.ts";
import type { Logger } from "../base/log.ts";
import { measured } from "../base/measured.ts";
import { discoverServer } from "../oauth/discovery.ts";
import { asFailure } from "../oauth/failure.ts";
import {
  openIdConfigurationUrl,
  sameIssuer,
  type ServerMetadata,
  serverMetadataUrls,
} from "../oauth/server_metadata.ts";
import type { IdpQuirks } from "./config.ts";
import { IdpError } from "./idp.ts";
import { idpMetrics } from "./measured_idp.ts";

/** What an IdP is opened with. */
export interface IdpContext {
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters?: Counters;
  /** Ends the background work. */
  readonly signal?: AbortSignal;
}

/** The part of an IdP's configuration that finding it needs. */
export interface IdpAddress {
  readonly provider: string;
  readonly issuerUrl: string;
  readonly quirks: IdpQuirks;
}

/** The issuer that an operator typed, perhaps as the address of its document. */
export function typedIssuer(issuerUrl: string): string {
  return issuerUrl.replace(/\/\.well-known\/[^/]+\/?$/, "");
}

/** The metadata of one IdP. */
export interface IdpServer {
  /** @throws IdpError, transient, when the IdP does not answer or its document cannot be used. */
  metadata(): Promise<ServerMetadata>;
  /** Resolves at the first success; rejects only when the context's signal aborts. */
  ready(): Promise<void>;
  /** Whether it answers now: asks, whatever is known. */
  reachable(): Promise<boolean>;
}

const freshMs = 3_600_000;
const pauseMs = 1_000;
const maxPauseMs = 30_000;

/** Nothing is fetched before the first call. */
export function idpServer(config: IdpAddress, context: IdpContext): IdpServer {
  const { clock, log } = context;
  const metrics = idpMetrics(context.counters ?? noCounters);
  let known: { metadata: ServerMetadata; atMs: number } | undefined;
  let failed: { error: IdpError; atMs: number } | undefined;
  let running: Promise<ServerMetadata> | undefined;
  let background: Promise<void> | undefined;

  const discover = async (): Promise<ServerMetadata> => {
    try {
      const metadata = await measured(metrics, { call: "discovery" }, () => discoverIdp(config, context));
      if (known === undefined) {
        log.info("idp_reached", { provider: config.provider, issuer: metadata.issuer });
      }
      known = { metadata, atMs: clock.now() };
      failed = undefined;
      return metadata;
    } catch (cause) {
      const failure = asFailure(cause, config.issuerUrl);
      const reason = failure.reason === "unreachable" ? "idp_unreachable" : failure.reason;
      const error = new IdpError(
        "transient",
        reason,
        `Cannot discover the IdP: ${describeError(failure)}`,
        failure,
      );
      log.warn("idp_discovery_failed", { provider: config.provider, reason, cause: describeError(failure) });
      // What was read before stays good; it is asked again in a while.
      if (known !== undefined) known = { ...known, atMs: clock.now() };
      failed = { error, atMs: clock.now() };
      throw error;
    } finally {
      running = undefined;
    }
  };
  const once = () => running ??= discover();

  const metadata = async (): Promise<ServerMetadata> => {
    if (known !== undefined) {
      if (clock.now() - known.atMs > freshMs) once().catch(() => {});
      return known.metadata;
    }
    if (running === undefined && failed !== undefined && clock.now() - failed.atMs < pauseMs) {
      throw failed.error;
    }
    return await once();
  };

  const keepAsking = async (): Promise<void> => {
    for (let waitMs = pauseMs;; waitMs = Math.min(waitMs * 2, maxPauseMs)) {
      try {
        await metadata();
        return;
      } catch {
        await clock.sleep(waitMs, context.signal);
      }
    }
  };

  return {
    metadata,
    ready: () => background ??= keepAsking(),
    reachable: () => once().then(() => true, () => false),
  };
}

/** @throws OAuthFailure */
async function discoverIdp(config: IdpAddress, context: IdpContext): Promise<ServerMetadata> {
  const issuer = typedIssuer(config.issuerUrl);
  const { alsoIssuers = [], issuerPattern } = config.quirks;
  const urls = [openIdConfigurationUrl(issuer), ...serverMetadataUrls(issuer)];
  const distinct = urls.filter((url, at) => urls.findIndex((other) => other.href === url.href) === at);
  return await discoverServer(context.http, issuer, {
    urls: distinct,
    accepts: (found) =>
      sameIssuer(found, issuer) || alsoIssuers.includes(found) || issuerPattern?.test(found) === true,
  });
}
