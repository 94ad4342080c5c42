import { certificateAuthorities } from "../base/ca.ts";
import { UserError } from "../base/errors.ts";
import type { HttpClient } from "../base/http_client.ts";
import type { HttpClientConfig } from "../base/http_config.ts";
import type { Logger } from "../base/log.ts";
import { proxyRule } from "../base/proxy.ts";
import { fetchTransport } from "./fetch_transport.ts";
import { Http1Client, type Http1Options } from "./http1/client.ts";
import type { Transport } from "./transport.ts";

/** What an upstream is opened with. */
export interface UpstreamContext {
  readonly http: HttpClient;
  readonly httpConfig: HttpClientConfig;
  readonly log: Logger;
}

/** Straight to the upstream, or through the corporate proxy where the rules say so. */
export function transportTo(url: URL, timeoutMs: number, context: UpstreamContext): Transport {
  const { http, httpConfig, log } = context;
  if (!proxyRule(httpConfig).isDirect(url)) return fetchTransport(url.origin, http);
  const secure = url.protocol === "https:";
  const tls = secure ? { tls: tlsOptions(httpConfig, log) } : {};
  return new Http1Client({
    hostname: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? (secure ? 443 : 80) : Number(url.port),
    host: url.host,
    timeoutMs,
    ...tls,
  });
}

function tlsOptions(config: HttpClientConfig, log: Logger): NonNullable<Http1Options["tls"]> {
  const caCerts = certificateAuthorities(config.caFiles, log);
  const { clientCertFile, clientKeyFile } = config;
  if (clientCertFile === undefined || clientKeyFile === undefined) return { caCerts };
  return { caCerts, cert: readPem(clientCertFile), key: readPem(clientKeyFile) };
}

function readPem(file: string): string {
  try {
    return Deno.readTextFileSync(file);
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    throw new UserError(`Cannot read the client certificate or key "${file}": ${found}`, { cause });
  }
}
