/**
 * The one way out: every outbound call (discovery, keys, tokens, client metadata documents, upstream) goes through a
 * client made here, so that the CA, proxy, timeout and size rules are the same everywhere.
 *
 *     fetch(url) -> direct or by proxy? -> Deno's client for that way (made at first use) -> headers within timeoutMs
 *                                                                    `-> NetworkError that says what to do
 */
import { certificateAuthorities } from "./ca.ts";
import { UserError } from "./errors.ts";
import type { HttpClientConfig } from "./http_config.ts";
import { type Logger, silentLog } from "./log.ts";
import { type ProxyRule, proxyRule, withoutProxyEnvironment } from "./proxy.ts";

/** Options of one outbound call beyond those of fetch. */
export interface CallOptions extends RequestInit {
  /** Until the response's headers have come; milliseconds. */
  readonly timeoutMs?: number;
}

/** A fetch that knows the corporate network. Redirects are never followed unless the caller asks for it. */
export interface HttpClient {
  /**
   * A request that may change something is sent once at most: the runtime repeats one by itself when a kept
   * connection turns out to be closed, so those with a body in memory get a connection of their own.
   * @throws NetworkError when there is no answer; the signal's reason when the caller's signal aborted; UserError
   * when a configured file cannot be used.
   */
  fetch(input: string | URL, init?: CallOptions): Promise<Response>;
  /** The runtime's client for this address, for the message path, which calls `fetch` itself. */
  native?(url: URL): Deno.HttpClient;
  close(): void;
}

/** Nothing is read or opened before the first call. `config` may be left out for a client without any setting. */
export function openHttpClient(
  config: HttpClientConfig = { caFiles: [], noProxy: [] },
  options: { log?: Logger } = {},
): HttpClient {
  const log = options.log ?? silentLog;
  const made = new Map<string, Deno.HttpClient>();
  let rule: ProxyRule | undefined;

  const clientFor = (url: URL, pooled: boolean): Deno.HttpClient => {
    rule ??= proxyRule(config);
    const direct = rule.isDirect(url);
    const key = `${direct} ${pooled}`;
    const known = made.get(key);
    if (known !== undefined) return known;
    const proxyUrl = direct ? undefined : rule.proxyUrl;
    const create = () => createClient(config, { proxyUrl, pooled, log });
    const client = direct ? withoutProxyEnvironment(create) : create();
    made.set(key, client);
    return client;
  };

  return {
    async fetch(input, init = {}) {
      const { timeoutMs, ...rest } = init;
      const url = new URL(input);
      const client = clientFor(url, mayRepeat(rest));
      const limit = timeoutMs === undefined ? undefined : new AbortController();
      const timer = limit === undefined ? undefined : setTimeout(() => limit.abort(), timeoutMs);
      const signals = [init.signal, limit?.signal].filter((signal) => signal instanceof AbortSignal);
      const signal = signals.length > 1 ? AbortSignal.any(signals) : signals[0];
      try {
        return await fetch(url, {
          redirect: "manual",
          ...rest,
          ...(signal === undefined ? {} : { signal }),
          client,
        });
      } catch (error) {
        if (init.signal?.aborted) throw error;
        const timedOutAfterMs = limit?.signal.aborted ? timeoutMs : undefined;
        const { networkError } = await import("./network_error.ts");
        throw await networkError(url, error, {
          timedOutAfterMs,
          mayProbe: rule?.isDirect(url) === true,
        });
      } finally {
        clearTimeout(timer);
      }
    },
    native: (url) => clientFor(url, true),
    close() {
      for (const client of made.values()) client.close();
      made.clear();
    },
  };
}

/** Reading may be repeated; a body that is a stream cannot be, and the runtime knows it. */
function mayRepeat({ method = "GET", body }: RequestInit): boolean {
  return ["GET", "HEAD", "OPTIONS"].includes(method.toUpperCase()) || body instanceof ReadableStream;
}

interface ClientOptions {
  readonly proxyUrl: string | undefined;
  readonly pooled: boolean;
  readonly log: Logger;
}

function createClient(config: HttpClientConfig, { proxyUrl, pooled, log }: ClientOptions): Deno.HttpClient {
  const caCerts = certificateAuthorities(config.caFiles, log);
  const options: Deno.CreateHttpClientOptions = {
    caCerts,
    // Idle connections are what makes a proxied request cheap; hosts are few, so they are kept in number.
    poolMaxIdlePerHost: pooled ? 1024 : 0,
    poolIdleTimeout: 60_000,
    ...(proxyUrl === undefined ? {} : { proxy: proxyOption(proxyUrl) }),
  };
  try {
    if (config.clientCertFile === undefined || config.clientKeyFile === undefined) {
      return Deno.createHttpClient(options);
    }
    const cert = readPem(config.clientCertFile, "client certificate");
    const key = readPem(config.clientKeyFile, "client key");
    return Deno.createHttpClient({ ...options, cert, key });
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw new UserError(`Cannot set up outbound TLS: ${cause instanceof Error ? cause.message : cause}`, {
      hint:
        "Check that the CA, certificate and key files are PEM and that the key belongs to the certificate.",
      cause,
    });
  }
}

function proxyOption(proxyUrl: string): Deno.Proxy {
  const url = new URL(proxyUrl);
  if (url.username === "") return { url: proxyUrl };
  const basicAuth = {
    username: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
  };
  url.username = url.password = "";
  return { url: url.href, basicAuth };
}

function readPem(file: string, what: string): string {
  try {
    return Deno.readTextFileSync(file);
  } catch (cause) {
    throw new UserError(
      `Cannot read the ${what} "${file}": ${cause instanceof Error ? cause.message : cause}`,
      {
        cause,
      },
    );
  }
}
