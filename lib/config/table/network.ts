/** The network between us and everybody else. */
import { duration, path, proxyUrl, text } from "../../base/kinds.ts";
import type { Settings } from "../../base/setting.ts";

const group = "Network";

export const networkSettings = {
  caFile: {
    kind: path,
    env: "CA_FILE",
    flag: "ca-file",
    mode: "both",
    group,
    help: "Further certificate authorities (PEM) to trust for outbound calls",
  },
  nodeExtraCaCerts: {
    kind: path,
    env: "NODE_EXTRA_CA_CERTS",
    flag: "node-extra-ca-certs",
    mode: "both",
    group,
    help: "The same, under the name that Node.js uses",
  },
  sslCertFile: {
    kind: path,
    env: "SSL_CERT_FILE",
    flag: "ssl-cert-file",
    mode: "both",
    group,
    help: "The same, under the name that OpenSSL uses",
  },
  denoCert: {
    kind: path,
    env: "DENO_CERT",
    flag: "deno-cert",
    mode: "both",
    group,
    help: "The same, under the name that Deno uses",
  },
  httpProxy: {
    kind: proxyUrl,
    env: "MCP_PROXY_HTTP_PROXY",
    flag: "http-proxy",
    secret: true,
    defaultText: "HTTPS_PROXY or HTTP_PROXY",
    mode: "both",
    group,
    help: "A proxy for outbound calls",
  },
  noProxy: {
    kind: text,
    env: "NO_PROXY",
    envAliases: ["no_proxy"],
    flag: "no-proxy",
    mode: "both",
    group,
    help: "Hosts that are reached without the proxy, between commas; * for all",
  },
  clientCertFile: {
    kind: path,
    env: "CLIENT_CERT_FILE",
    flag: "client-cert-file",
    mode: "both",
    group,
    help: "A client certificate (PEM) for outbound calls",
  },
  clientKeyFile: {
    kind: path,
    env: "CLIENT_KEY_FILE",
    flag: "client-key-file",
    mode: "both",
    group,
    help: "The private key (PEM) of the client certificate",
  },
  connectTimeoutMs: {
    kind: duration(100, 600_000),
    env: "UPSTREAM_CONNECT_TIMEOUT",
    flag: "upstream-connect-timeout",
    defaultText: "30s in stdio mode, 10s in http mode",
    mode: "both",
    group,
    help: "How long connecting to the upstream may take",
  },
  firstByteTimeoutMs: {
    kind: duration(0),
    env: "UPSTREAM_FIRST_BYTE_TIMEOUT",
    flag: "upstream-first-byte-timeout",
    default: 0,
    mode: "http",
    group,
    help:
      "How long the upstream may take to begin an answer; 0 sets no limit, since a tool takes the time it takes",
  },
} satisfies Settings;
