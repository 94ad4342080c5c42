/**
 * GET of a URL that a stranger chose (client ID metadata documents and their keys), so that it can reach nothing
 * but public hosts:
 *
 *     https? -> resolve once -> every address public? -> connect to that very address, TLS by name -> no redirect,
 *                                                        no credentials, limited time and size
 *
 * What was checked is what is connected to, so a name that resolves differently the second time gains nothing.
 */
import { certificateAuthorities } from "./ca.ts";
import { BodyTooLarge } from "./body.ts";
import type { HttpClientConfig } from "./http_config.ts";
import { type Logger, silentLog } from "./log.ts";
import { networkError } from "./network_error.ts";
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
    return await get(url, { address, authorities, accept, deadline, timeoutMs, maxBytes });
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
    throw await networkError(url, error, given.deadline.aborted ? given.timeoutMs : undefined);
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
  readonly accept: string;
  readonly deadline: AbortSignal;
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

async function get(url: URL, how: Get): Promise<GuardedAnswer> {
  // The runtime's fetch cannot be told an address for a name; node's agent can.
  const family = how.address.includes(":") ? 6 : 4;
  const lookup = (_name: string, options: { all?: boolean }, done: (...result: unknown[]) => void) =>
    options.all === true ? done(null, [{ address: how.address, family }]) : done(null, how.address, family);
  const ca = how.authorities.length === 0 ? {} : { ca: [...how.authorities] };
  const secure = url.protocol === "https:";
  const node = secure ? await import("node:https") : await import("node:http");
  const agent = new node.Agent({ lookup, keepAlive: false, ...ca } as Record<string, unknown>);
  const headers = { accept: how.accept, "accept-encoding": "identity", "user-agent": "mcp-doorman" };
  return await new Promise<GuardedAnswer>((resolve, reject) => {
    const request = node.request(url, { agent, headers, method: "GET" }, (response) => {
      const chunks: Uint8Array[] = [];
      let length = 0;
      response.on("data", (chunk: Uint8Array) => {
        length += chunk.length;
        if (length > how.maxBytes) end(new BodyTooLarge(how.maxBytes));
        else chunks.push(chunk);
      });
      response.on("error", (error: Error) => end(error));
      response.on("close", () => end(new Error("the connection was closed before the answer was complete")));
      response.on("end", () => {
        const encoding = response.headers["content-encoding"];
        if (encoding !== undefined && encoding !== "identity") return end(new GuardRefusal("encoded", url));
        end(undefined, {
          status: response.statusCode ?? 0,
          headers: new Headers(plainHeaders(response.headers)),
          body: joined(chunks, length),
        });
      });
    });
    const onDeadline = () => end(new Error("time limit"));
    let ended = false;
    function end(error: Error | undefined, answer?: GuardedAnswer): void {
      if (ended) return;
      ended = true;
      how.deadline.removeEventListener("abort", onDeadline);
      if (answer !== undefined) resolve(answer);
      else if (error instanceof GuardRefusal || error instanceof BodyTooLarge) reject(error);
      else networkError(url, error, how.deadline.aborted ? how.timeoutMs : undefined).then(reject, reject);
      request.destroy();
      agent.destroy();
    }
    how.deadline.addEventListener("abort", onDeadline, { once: true });
    request.on("error", (error: Error) => end(error));
    request.end();
  });
}

function plainHeaders(headers: Record<string, string | string[] | undefined>): [string, string][] {
  return Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(", ") : value]]
  );
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}
