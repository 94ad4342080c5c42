/**
 * Clients whose id is the address of a document about them (OAuth Client ID Metadata Document).
 *
 *     address acceptable? -> kept and fresh? -> fetch (guarded, once for all who wait) -> 200, JSON, about this address
 *                                                  `-> unreachable: the kept copy, or the built-in one
 *
 * Only good documents are kept. A document that cannot be fetched keeps nobody out who was let in by it before.
 */
import { BodyTooLarge } from "../../base/body.ts";
import { sha256Text } from "../../base/bytes.ts";
import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import { type GuardedAnswer, type GuardedFetch, GuardRefusal } from "../../base/guarded_fetch.ts";
import { type Logger, safeUrl } from "../../base/log.ts";
import { checkClientAssertion } from "../../crypto/client_assertion.ts";
import { isClientDocumentUrl, parseClientDocument } from "../../oauth/client_metadata.ts";
import { OAuthError } from "../../oauth/errors.ts";
import type { Store } from "../../store/store.ts";
import type { ClientDocument, ClientDocuments } from "./client_documents.ts";
import { clientName } from "./client_name.ts";
import { failure } from "./failures.ts";
import { useOnce } from "./used.ts";
import { wellKnownClients } from "./well_known_clients.ts";

/** What documents are looked up with. */
export interface CimdContext {
  readonly fetch: GuardedFetch;
  readonly clock: Clock;
  readonly log: Logger;
  readonly store: Store;
  /** Whether a redirect URI may be used here. */
  readonly allowsUri: (uri: string) => boolean;
  /** What assertions may be made out to. */
  readonly audiences: readonly string[];
  readonly allowLoopback: boolean;
}

const minFreshMs = 5 * 60_000;
const maxFreshMs = 24 * 3_600_000;
const usualFreshMs = 3_600_000;
/** How long a copy may stand in for a document that cannot be fetched. */
const maxStaleMs = 7 * 24 * 3_600_000;
const maxKept = 500;
/** Ids stand in addresses and in the store's keys. */
const maxIdLength = 512;
const maxKeysBytes = 32 * 1024;

interface Known extends ClientDocument {
  readonly jwks?: unknown;
  readonly jwksUri?: string;
}

interface Kept {
  readonly document: Known;
  readonly freshUntilMs: number;
  readonly staleUntilMs: number;
}

/** Documents, kept in memory: another process fetches for itself. */
export function clientDocuments(context: CimdContext): ClientDocuments {
  const { clock, log, allowLoopback } = context;
  const kept = new Map<string, Kept>();
  const fetching = new Map<string, Promise<Known>>();

  async function find(clientId: string): Promise<Known> {
    if (clientId.length > maxIdLength || !isClientDocumentUrl(clientId, { allowLoopback })) {
      throw failure("client_document_refused");
    }
    const known = kept.get(clientId);
    if (known !== undefined && clock.now() < known.freshUntilMs) return known.document;
    try {
      return await fetchOnce(clientId);
    } catch (error) {
      const standIn = standInFor(clientId, known, error);
      if (standIn === undefined) throw error;
      log.warn("client_document_unreachable", { url: safeUrl(clientId), cause: describeError(error) });
      return standIn;
    }
  }

  function standInFor(clientId: string, known: Kept | undefined, error: unknown): Known | undefined {
    if (!(error instanceof OAuthError) || error.reason !== "client_document_unreachable") return undefined;
    if (known !== undefined && clock.now() < known.staleUntilMs) return known.document;
    return wellKnownClients[clientId];
  }

  function fetchOnce(clientId: string): Promise<Known> {
    let running = fetching.get(clientId);
    if (running === undefined) {
      running = fetchDocument(context, clientId).then(({ document, freshMs }) => {
        const nowMs = clock.now();
        kept.delete(clientId);
        kept.set(clientId, { document, freshUntilMs: nowMs + freshMs, staleUntilMs: nowMs + maxStaleMs });
        for (const oldest of kept.keys()) if (kept.size > maxKept) kept.delete(oldest);
        return document;
      }).finally(() => fetching.delete(clientId));
      fetching.set(clientId, running);
    }
    return running;
  }

  return {
    owns: (clientId) => /^https?:/i.test(clientId),
    find,
    async verifyAssertion(clientId, assertion) {
      const document = await find(clientId);
      const keys = document.jwks ?? await fetchKeys(context, document.jwksUri);
      const rules = { clientId, audiences: context.audiences, clock };
      const checked = await checkClientAssertion(assertion, keys, rules);
      if (checked === undefined) throw failure("client_auth_failed");
      const id = await sha256Text(`${clientId} ${checked.jti}`);
      if (!await useOnce(context.store, "assertion", id, checked.expiresAtMs - clock.now())) {
        throw failure("client_auth_failed");
      }
    },
  };
}

async function fetchDocument(context: CimdContext, clientId: string) {
  const answer = await guarded(context, new URL(clientId), 5 * 1024);
  const body = readJson(answer);
  let metadata;
  try {
    metadata = parseClientDocument(body, clientId);
  } catch (error) {
    throw failure("client_document_invalid", { error });
  }
  const auth = metadata.token_endpoint_auth_method ?? "none";
  const redirectUris = metadata.redirect_uris.filter(context.allowsUri);
  if ((auth !== "none" && auth !== "private_key_jwt") || redirectUris.length === 0) {
    throw failure("client_document_invalid");
  }
  const name = clientName(metadata.client_name);
  const document: Known = {
    redirectUris,
    auth,
    ...(name === undefined ? {} : { name }),
    ...(metadata.jwks === undefined ? {} : { jwks: metadata.jwks }),
    ...(metadata.jwks_uri === undefined ? {} : { jwksUri: metadata.jwks_uri }),
  };
  return { document, freshMs: freshness(answer.headers) };
}

async function fetchKeys(context: CimdContext, uri: string | undefined): Promise<unknown> {
  if (uri === undefined || !URL.canParse(uri)) throw failure("client_document_invalid");
  return readJson(await guarded(context, new URL(uri), maxKeysBytes));
}

async function guarded(context: CimdContext, url: URL, maxBytes: number): Promise<GuardedAnswer> {
  try {
    return await context.fetch(url, { timeoutMs: 5_000, maxBytes });
  } catch (error) {
    if (error instanceof GuardRefusal) throw failure("client_document_refused", { error });
    if (error instanceof BodyTooLarge) throw failure("client_document_invalid", { error });
    throw failure("client_document_unreachable", { error });
  }
}

/** Nothing but a plain 200 with JSON is a document; a server's trouble is not the document's. */
function readJson(answer: GuardedAnswer): unknown {
  if (answer.status === 429 || answer.status >= 500) throw failure("client_document_unreachable");
  const type = answer.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
  if (answer.status !== 200 || !/^application\/([\w.-]+\+)?json$/.test(type)) {
    throw failure("client_document_invalid");
  }
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(answer.body));
  } catch (error) {
    throw failure("client_document_invalid", { error });
  }
}

/** How long the document is used without asking again: as it says, within bounds. */
function freshness(headers: Headers): number {
  const control = headers.get("cache-control") ?? "";
  const maxAge = /(?:^|[\s,])max-age=(\d{1,9})/i.exec(control)?.[1];
  if (/no-store|no-cache/i.test(control)) return minFreshMs;
  const askedMs = maxAge === undefined ? usualFreshMs : Number(maxAge) * 1000;
  return Math.min(maxFreshMs, Math.max(minFreshMs, askedMs));
}
