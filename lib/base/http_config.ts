/** The corporate network, for every outbound call. */
export interface HttpClientConfig {
  /** A PEM file of further certificate authorities (`--ca-file`, `NODE_EXTRA_CA_CERTS`, `SSL_CERT_FILE`, `DENO_CERT`). */
  readonly caFiles: readonly string[];
  /** A proxy URL; absent: the environment's. */
  readonly proxyUrl?: string;
  /** Hosts that are reached directly. */
  readonly noProxy: readonly string[];
  /** PEM files of a client certificate and its key. */
  readonly clientCertFile?: string;
  readonly clientKeyFile?: string;
}
