/**
 * Fetching what the other side publishes about itself. Nothing here follows a redirect, and a document that names
 * another issuer than the one that was asked for is not used (RFC 8414 section 3.3).
 */
import { readLimitedText } from "../base/body.ts";
import type { HttpClient } from "../base/http_client.ts";
import { asFailure, OAuthFailure } from "./failure.ts";
import { parseResourceMetadata, type ResourceMetadata } from "./resource_metadata.ts";
import {
  parseServerMetadata,
  sameIssuer,
  type ServerMetadata,
  serverMetadataUrls,
} from "./server_metadata.ts";

/** How one document is asked for. */
export interface FetchOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Per document; default 10 s. */
  readonly timeoutMs?: number;
}

/** How an authorization server is looked up. */
export interface DiscoverOptions extends FetchOptions {
  /** Where to look, in this order; default: `serverMetadataUrls(issuer)`. */
  readonly urls?: readonly URL[];
  /** Whether the document's issuer will do; default: exactly `issuer`. `sameIssuer` tolerates a trailing slash. */
  readonly accepts?: (found: string) => boolean;
}

const maxDocumentBytes = 512 * 1024;

/**
 * The metadata of the authorization server with this issuer.
 * @throws OAuthFailure: transient when a place could not be asked, else dead with reason `no_metadata` or
 * `issuer_mismatch`.
 */
export async function discoverServer(
  http: HttpClient,
  issuer: string,
  options: DiscoverOptions = {},
): Promise<ServerMetadata> {
  if (!URL.canParse(issuer)) throw new OAuthFailure("dead", "bad_issuer", `"${issuer}" is not an issuer URL`);
  const accepts = options.accepts ?? ((found) => found === issuer);
  let silent: OAuthFailure | undefined;
  for (const url of options.urls ?? serverMetadataUrls(issuer)) {
    try {
      const metadata = parseServerMetadata(await fetchDocument(http, url, options));
      if (metadata === undefined) continue;
      if (!accepts(metadata.issuer)) {
        throw new OAuthFailure(
          "dead",
          "issuer_mismatch",
          `${url.href} names the issuer "${metadata.issuer}", not "${issuer}"`,
        );
      }
      return metadata;
    } catch (error) {
      options.signal?.throwIfAborted();
      const failure = asFailure(error, url.origin);
      if (failure.kind === "dead") throw failure;
      silent ??= failure;
    }
  }
  throw silent ??
    new OAuthFailure("dead", "no_metadata", `${issuer} publishes no authorization server metadata`);
}

/** The issuer that an operator typed: a trailing slash more or less does no harm. */
export function tolerantIssuer(issuer: string): (found: string) => boolean {
  return (found) => sameIssuer(found, issuer);
}

/** The resource's metadata at this place; `undefined` when there is none. @throws OAuthFailure, transient. */
export async function fetchResourceMetadata(
  http: HttpClient,
  url: URL,
  options: FetchOptions = {},
): Promise<ResourceMetadata | undefined> {
  return parseResourceMetadata(await fetchDocument(http, url, options));
}

/** The JSON document, or `undefined` when there is none at this place (or none that can be read). */
async function fetchDocument(http: HttpClient, url: URL, options: FetchOptions): Promise<unknown> {
  try {
    const response = await http.fetch(url, {
      headers: { accept: "application/json", ...options.headers },
      timeoutMs: options.timeoutMs ?? 10_000,
      signal: options.signal ?? null,
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      if (response.status < 500 && response.status !== 429) return undefined;
      throw new OAuthFailure(
        "transient",
        `http_${response.status}`,
        `${url.href} answered HTTP ${response.status}`,
        {
          status: response.status,
        },
      );
    }
    return parseJson(await readLimitedText(response, maxDocumentBytes));
  } catch (error) {
    options.signal?.throwIfAborted();
    throw asFailure(error, url.origin);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
