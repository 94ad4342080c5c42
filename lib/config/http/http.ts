import type { HttpConfig } from "../../http/config.ts";
import { httpClientConfig, identityConfig, logConfig } from "../common.ts";
import { present } from "../present.ts";
import type { Reading } from "../reading.ts";
import { address } from "./address.ts";
import { inboundConfig } from "./inbound.ts";
import { limitsConfig } from "./limits.ts";
import { outboundConfig } from "./outbound.ts";
import { refuseWeakened, weakened } from "./prod_mode.ts";
import { keyConfig, stateFolder, storeConfig } from "./state.ts";
import { upstreamConfig, upstreamHeaders, upstreamPathOverride } from "./upstream.ts";

/** What http mode is started with; see `problems` of the reading before using it. */
export function httpConfig(reading: Reading): HttpConfig {
  const { values, dialect, warnings } = reading;
  const where = address(reading);
  const outbound = outboundConfig(reading);
  const inbound = inboundConfig(reading, where, outbound.mode);
  const stateDir = stateFolder(reading);
  const violations = weakened(reading);
  const keys = keyConfig(reading, stateDir, where.baseUrl, violations);
  refuseWeakened(reading, violations);
  return present({
    mode: "http" as const,
    dialect: dialect.name,
    listen: where.listen,
    reusePort: values.reusePort,
    adminListen: values.metricsAddr === "off" ? undefined : values.metricsAddr,
    tls: tlsConfig(reading),
    baseUrl: where.baseUrl,
    mountPath: where.mountPath,
    inbound,
    outbound,
    upstream: upstreamConfig(reading),
    upstreamPathOverride: upstreamPathOverride(reading),
    store: storeConfig(reading, stateDir),
    keys,
    stateDir,
    http: httpClientConfig(reading),
    log: logConfig(reading),
    banner: values.banner,
    identity: identityConfig(reading),
    limits: limitsConfig(reading),
    cors: { origins: values.corsOrigins },
    identityHeaders: values.identityHeaders,
    upstreamHeaders: upstreamHeaders(reading),
    standingStreams: !values.streamingOnly,
    shutdownTimeoutMs: values.shutdownTimeoutMs,
    keepAliveCommentMs: values.keepAliveMs,
    accessLog: present({
      skip: values.accessLogSkip,
      bodyMaxBytes: values.logBodyMax,
      hashSubjects: values.hashSubjects,
    }),
    toolMetrics: { enabled: values.toolMetrics, maxCardinality: values.toolMetricsMax },
    workers: values.workers,
    toolRules: values.toolRules,
    warnings: warnings,
  });
}

function tlsConfig({ values, problems }: Reading): HttpConfig["tls"] {
  const { tlsCertFile: certFile, tlsKeyFile: keyFile } = values;
  if ((certFile === undefined) !== (keyFile === undefined)) {
    problems.push("Cannot use TLS_CERT_FILE and TLS_KEY_FILE one without the other: set both or neither");
  }
  return certFile === undefined || keyFile === undefined ? undefined : { certFile, keyFile };
}
