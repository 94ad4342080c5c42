import type { HttpClientConfig } from "../base/http_config.ts";
import type { LogConfig } from "../base/log.ts";

/** Everything stdio mode is started with. Assembled by `config/`; times in milliseconds, sizes in bytes. */
export interface StdioConfig {
  readonly mode: "stdio";
  readonly upstreamUrl: URL;
  readonly log: LogConfig;
  readonly http: HttpClientConfig;
  /** No line about ourselves on stderr at start. */
  readonly banner: boolean;
  readonly login: LoginConfig;
  /** `--header Name:Value`, after expansion of `${VAR}`; kept off other origins. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly identity: IdentityOverrides;
  /** How long the host's first request waits for the upstream before `initialize` is answered from the cache. */
  readonly firstAnswerTimeoutMs: number;
  /** A request that the upstream does not begin to answer gets an error after this; 0: never. */
  readonly connectTimeoutMs: number;
  readonly maxLineBytes: number;
  /** Appends every message to this file. */
  readonly dumpMessagesFile?: string;
}

/** How stdio mode gets a token. */
export interface LoginConfig {
  /** Absent: found out from the upstream's challenge. Exactly as typed. */
  readonly issuerUrl?: string;
  readonly clientId?: string;
  readonly clientSecret?: string;
  /** PEM of the key for `private_key_jwt`. */
  readonly clientKey?: string;
  /** A client id metadata document that we may use as client_id. */
  readonly clientMetadataUrl?: string;
  /** Absent: the scope selection rules of discovery, or `openid profile email` with a configured issuer. */
  readonly scopes?: readonly string[];
  readonly redirectUrl: URL;
  /** The redirect URL was given by the user, so that no other port may be used. */
  readonly redirectFixed: boolean;
  readonly grant: "authorization_code" | "client_credentials" | "device_code";
  readonly audience?: string;
  readonly authorizeParameters: readonly (readonly [name: string, value: string])[];
  /** Send no `resource` (RFC 8707), for servers that choke on it. */
  readonly omitResource: boolean;
  /** Accept an authorization server whose metadata does not announce S256. */
  readonly allowMissingPkce: boolean;
  /** How long a person may take. */
  readonly loginTimeoutMs: number;
  readonly openBrowser: boolean;
  /** A program to open URLs with, from `BROWSER`. */
  readonly browser?: string;
  readonly cacheDir: string;
  readonly profile: string;
}

/** What replaces the upstream's own words in its `initialize` or `server/discover` answer. */
export interface IdentityOverrides {
  readonly name?: string;
  readonly version?: string;
  readonly instructions?: string;
  readonly websiteUrl?: string;
}
