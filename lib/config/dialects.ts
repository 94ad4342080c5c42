/**
 * The systems that this one follows give the same names different defaults. The name under which the public URL is
 * given says which of them a configuration was written for, and that chooses the defaults of all that is not given.
 * This table is the only place where they differ.
 */
import type { Key, TableValues } from "./table.ts";

/** The name of a set of defaults. */
export type DialectName = "authsome" | "babs" | "allardy";

/** What differs from one to the other. */
export interface Dialect {
  readonly name: DialectName;
  /** The setting that holds the public URL. */
  readonly baseUrl: "baseUrl" | "babsBaseUrl" | "resourceUrl";
  readonly defaults: { readonly [K in Key]?: TableValues[K] };
  /** `base`: the base URL's path and `/mcp`; `upstream`: the upstream's path; `all`: every path that is not ours. */
  readonly mount: "base" | "upstream" | "all";
  readonly callbackPath: string;
  readonly registerPath: string;
  /** Asked of the IdP when `OIDC_SCOPES` is not given; absent: the provider's own. */
  readonly idpScopes?: readonly string[];
  /** An allow-list must have an entry. */
  readonly allowListRequired: boolean;
  /** `AUDIENCE` must be given. */
  readonly audienceRequired: boolean;
}

export const dialects: readonly Dialect[] = [
  {
    name: "authsome",
    baseUrl: "baseUrl",
    defaults: {
      transport: "stdio",
      port: 8000,
      outboundAuth: "forward",
      perSubjectConcurrency: 16,
      perSubjectPerMinute: 0,
    },
    mount: "base",
    callbackPath: "/auth/callback",
    registerPath: "/register",
    allowListRequired: false,
    audienceRequired: false,
  },
  {
    name: "babs",
    baseUrl: "babsBaseUrl",
    defaults: {
      transport: "http",
      inbound: "oidc",
      port: 8080,
      outboundAuth: "none",
      perSubjectConcurrency: 16,
      perSubjectPerMinute: 0,
    },
    mount: "upstream",
    callbackPath: "/callback",
    registerPath: "/register",
    idpScopes: ["openid", "email", "profile"],
    allowListRequired: false,
    audienceRequired: false,
  },
  {
    name: "allardy",
    baseUrl: "resourceUrl",
    defaults: {
      transport: "http",
      inbound: "jwt",
      port: 8080,
      outboundAuth: "none",
      perSubjectConcurrency: 0,
      perSubjectPerMinute: 60,
      scopesSupported: ["openid", "profile", "email", "offline_access"],
    },
    mount: "all",
    callbackPath: "/auth/callback",
    registerPath: "/oauth/register",
    allowListRequired: true,
    audienceRequired: true,
  },
];

/** The dialect of a configuration, by the settings that are given; two public URLs are a problem. */
export function chooseDialect(names: ReadonlyMap<string, string>, problems: string[]): Dialect {
  const named = dialects.filter(({ baseUrl }) => names.has(baseUrl));
  if (named.length > 1) {
    const which = named.map(({ baseUrl }) => names.get(baseUrl)).join(" and ");
    problems.push(`Cannot use ${which} together: each is the public URL, with defaults of its own; keep one`);
  }
  return named[0] ?? (dialects[0] as Dialect);
}
