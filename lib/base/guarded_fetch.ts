/**
 * GET of a URL that a stranger chose (client ID metadata documents and their keys), so that it can reach nothing
 * but public hosts:
 *
 *     https? -> resolve once -> every address public? -> connect to that very address (through the corporate proxy
 *               if there is one), TLS by name -> no redirect, no credentials, limited time and size
 *
 * What was checked is what is connected to, so a name that resolves differently the second time gains nothing.
 */
import { certificateAuthorities } from "./ca.ts";
import { BodyTooLarge, readLimited } from "./body.ts";
import type { HttpClientConfig } from "./http_config.ts";
import { type Logger, silentLog } from "./log.ts";
import { networkError } from "./network_error.ts";
import { openGate } from "./pinned_gate.ts";
import { proxyFor, withoutProxyEnvironment } from "./proxy.ts";
import { isLoopbackAddress, isSpecialAddress } from "./special_address.ts";

/** What came back; a redirect is an answer like any other. */
export interface GuardedAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** Limits of one call. */
export interface GuardedOptions {
  readonly accept?: string;
  /** From start to the last byte; default 5 s. */
  readonly timeoutMs?: number;
  /** Default 5 KiB. */
  readonly maxBytes?: number;
}

/**
 * @throws GuardRefusal when the place may not be asked, NetworkError when it does not answer, BodyTooLarge.
 */
export type GuardedFetch = (url: URL, options?: GuardedOptions) => Promise<GuardedAnswer>;

/** The URL leads to somewhere that a stranger may not send us to. */
export class GuardRefusal extends Error {
  override readonly name = "GuardRefusal";
  constructor(readonly reason: "not_https" | "user_information" | "special_address" | "encoded", url: URL) {
    super(`Refused to fetch from ${url.host}: ${reason}`);
  }
}

/** How a host name becomes addresses; all of them. */
export type Resolve = (hostname: string) => Promise<readonly string[]>;

/** `allowLoopback` admits this machine, also over http: for development only. */
export function openGuardedFetch(
  config: HttpClientConfig,
  options: { allowLoopback?: boolean; log?: Logger; resolve?: Resolve } = {},
): GuardedFetch {
  const { allowLoopback = false, log = silentLog, resolve = systemResolve } = options;
  let authorities: string[] | undefined;
  return async (url, { accept = "application/json", timeoutMs = 5_000, maxBytes = 5 * 1024 } = {}) => {
    if (url.protocol !== "https:" && !(allowLoopback && url.protocol === "http:")) {
      throw new GuardRefusal("not_https", url);
    }
    if (url.username !== "" || url.password !== "") throw new GuardRefusal("user_information", url);
    const deadline = AbortSignal.timeout(timeoutMs);
    const address = await checkedAddress(url, { resolve, allowLoopback, deadline, timeoutMs });
    authorities ??= certificateAuthorities(config.caFiles, log);
    const via = isLoopbackAddress(address) ? undefined : proxyFor(url, config);
    return await get(url, { address, authorities, via, accept, deadline, timeoutMs, maxBytes });
  };
}

/** The address to connect to; all that the name has must be public, since a mixed answer is an attempt. */
async function checkedAddress(
  url: URL,
  given: { resolve: Resolve; allowLoopback: boolean; deadline: AbortSignal; timeoutMs: number },
): Promise<string> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const isLiteral = host.includes(":") || /^\d+\.\d+\.\d+\.\d+$/.test(host);
  let addresses: readonly string[];
  try {
    addresses = isLiteral ? [host] : await orAbort(given.resolve(host), given.deadline);
  } catch (error) {
    throw await networkError(url, error, {
      timedOutAfterMs: given.deadline.aborted ? given.timeoutMs : undefined,
    });
  }
  const mayUse = (address: string) =>
    !isSpecialAddress(address) || (given.allowLoopback && isLoopbackAddress(address));
  const [first] = addresses;
  if (first === undefined || !addresses.every(mayUse)) throw new GuardRefusal("special_address", url);
  if (url.protocol === "http:" && !addresses.every(isLoopbackAddress)) {
    throw new GuardRefusal("not_https", url);
  }
  return first;
}

async function systemResolve(hostname: string): Promise<string[]> {
  const { lookup } = await import("node:dns/promises");
  return (await lookup(hostname, { all: true })).map((found) => found.address);
}

function orAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    work.then(resolve, reject);
  });
}

interface Get {
  readonly address: string;
  readonly authorities: readonly string[];
  readonly via: URL | undefined;
  readonly accept: string;
  readonly deadline: AbortSignal;
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

async function get(url: URL, how: Get): Promise<GuardedAnswer> {
  const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
  // Plain http is this machine in development: the address stands in the URL, and there is nothing to pin.
  const secure = url.protocol === "https:";
  const target = new URL(url);
  if (!secure) target.hostname = how.address.includes(":") ? `[${how.address}]` : how.address;
  using gate = openGate({ address: how.address, port, ...(how.via === undefined ? {} : { via: how.via }) });
  const options = { caCerts: [...how.authorities], http2: false };
  using client = secure
    ? Deno.createHttpClient({ ...options, proxy: { url: gate.proxyUrl } })
    : withoutProxyEnvironment(() => Deno.createHttpClient(options));
  try {
    const response = await fetch(target, {
      client,
      redirect: "manual",
      signal: how.deadline,
      headers: { accept: how.accept, "accept-encoding": "identity", "user-agent": "mcp-doorman" },
    });
    // Not asked for; a document that has to be unfolded first is no use.
    if ((response.headers.get("content-encoding") ?? "identity") !== "identity") {
      await response.body?.cancel();
      throw new GuardRefusal("encoded", url);
    }
    return {
      status: response.status,
      headers: response.headers,
      body: await readLimited(response, how.maxBytes),
    };
  } catch (error) {
    if (error instanceof GuardRefusal || error instanceof BodyTooLarge) throw error;
    throw await networkError(url, gate.failure() ?? error, {
      timedOutAfterMs: how.deadline.aborted ? how.timeoutMs : undefined,
    });
  }
}
