import type { HttpClientConfig } from "../base/http_config.ts";
import type { LogConfig } from "../base/log.ts";
import type { ConfigWarning } from "../base/setting.ts";
import type { KeyConfig } from "../crypto/config.ts";
import type { InboundConfig } from "../inbound/config.ts";
import type { StoreConfig } from "../store/config.ts";
import type { UpstreamConfig } from "../upstream/config.ts";
import type { ToolRule } from "./tool_rules/rules.ts";

/** Everything http mode is started with. Assembled by `config/`; times in milliseconds, sizes in bytes. */
export interface HttpConfig {
  readonly mode: "http";
  readonly dialect: "authsome" | "babs" | "allardy";
  readonly listen: { readonly hostname: string; readonly port: number };
  /** Other processes of this program may listen there as well, public and admin (SO_REUSEPORT). */
  readonly reusePort: boolean;
  /** Health, readiness and metrics; absent: off. */
  readonly adminListen?: { readonly hostname: string; readonly port: number };
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  /** The public URL without a trailing slash, and the path of MCP on our server (`/`: every path that is not ours). */
  readonly baseUrl: string;
  readonly mountPath: string;
  readonly inbound: InboundConfig;
  /** The name of the mode and what its `parse` returned; `outbound/modes.ts` makes it. */
  readonly outbound: { readonly mode: string; readonly config: unknown };
  readonly upstream: UpstreamConfig;
  /** Fixed upstream path that replaces every request's own path, query kept (allardy's `MCP_UPSTREAM_PATH`). */
  readonly upstreamPathOverride?: string;
  readonly store: StoreConfig;
  readonly keys: KeyConfig;
  readonly stateDir: string;
  readonly http: HttpClientConfig;
  readonly log: LogConfig;
  readonly banner: boolean;
  readonly identity: { name?: string; version?: string; instructions?: string; websiteUrl?: string };
  readonly limits: LimitsConfig;
  readonly cors: { readonly origins: readonly string[] };
  readonly identityHeaders: boolean;
  /** Headers of every request to the upstream; names in lower case. */
  readonly upstreamHeaders: readonly (readonly [name: string, value: string])[];
  /** Whether a client may keep a GET stream open. */
  readonly standingStreams: boolean;
  readonly shutdownTimeoutMs: number;
  readonly keepAliveCommentMs: number;
  readonly accessLog: {
    readonly skip?: RegExp;
    readonly bodyMaxBytes: number;
    readonly hashSubjects: boolean;
  };
  readonly toolMetrics: { readonly enabled: boolean; readonly maxCardinality: number };
  readonly workers: number;
  /** Which users may see and call which tools; absent: bodies stay unread. */
  readonly toolRules?: readonly ToolRule[];
  /** What the log should say about the configuration, once at start. */
  readonly warnings?: readonly ConfigWarning[];
}

/** Rates are requests per minute and address; 0 switches one off. */
export interface LimitsConfig {
  readonly enabled: boolean;
  readonly perMinute: {
    readonly discovery: number;
    readonly register: number;
    readonly authorize: number;
    readonly consent: number;
    readonly callback: number;
    readonly token: number;
    readonly mcp: number;
  };
  /** Calls at once per subject; 0: no limit. */
  readonly perSubjectConcurrency: number;
  /** Calls a minute per subject; 0: no limit. */
  readonly perSubjectPerMinute: number;
  readonly trustedProxies: readonly string[];
  readonly trustedProxyHeader: "x-forwarded-for" | "x-real-ip" | "true-client-ip";
  /** The legacy wildcard trust. */
  readonly trustAnyProxy: boolean;
  readonly maxBodyBytes: number;
  readonly bodyReadTimeoutMs: number;
  /** Of plain connections. */
  readonly headerReadTimeoutMs: number;
  readonly idleTimeoutMs: number;
}
