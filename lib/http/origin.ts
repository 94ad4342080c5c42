/**
 * Browsers at the border: CORS, and the two checks that keep a web page from reaching a server it should not
 * (MCP transports, DNS rebinding).
 */
import type { Incoming } from "./incoming.ts";

/** Which pages may call. */
export interface OriginRules {
  /** Whether a request of this origin may pass; a request without one is not from a page. */
  allowed(origin: string): boolean;
  /** Whether the request's host is one of ours; always so where we do not listen on loopback. */
  hostAllowed(authority: string): boolean;
}

/** What decides about origins and hosts. */
export interface OriginConfig {
  /** `*` allows any. */
  readonly origins: readonly string[];
  /** The public base URL; its own pages are always allowed. */
  readonly baseUrl: string;
  /** The address that is listened on. */
  readonly hostname: string;
}

const loopbackHosts = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Whether an address to listen on is reached from this machine only. */
export function isLoopback(hostname: string): boolean {
  const bare = hostname.replace(/^\[|\]$/g, "").toLowerCase();
  return bare === "localhost" || bare === "::1" || /^127(?:\.\d{1,3}){3}$/.test(bare);
}

/** The rules of a configuration. */
export function originRules(config: OriginConfig): OriginRules {
  const base = new URL(config.baseUrl);
  const any = config.origins.includes("*");
  const listed = new Set(
    config.origins.map((origin) => canonicalOrigin(origin.replace(/\/$/, ""))).filter((one) =>
      one !== undefined
    ),
  );
  listed.add(base.origin);
  const loopback = isLoopback(config.hostname);
  const ownHost = base.host.toLowerCase();
  return {
    allowed(origin) {
      if (listed.has(origin)) return true;
      const canonical = canonicalOrigin(origin);
      if (canonical === undefined) return false;
      if (any || listed.has(canonical)) return true;
      // On a loopback bind a page of the same machine that came from our own port is our own page.
      return loopback && isLoopback(base.hostname) && isSameLoopback(canonical, base);
    },
    hostAllowed(authority) {
      if (!loopback) return true;
      const host = authority.toLowerCase();
      return host === ownHost || loopbackHosts.has(host.replace(/:\d{1,5}$/, ""));
    },
  };
}

function isSameLoopback(origin: string, base: URL): boolean {
  const url = new URL(origin);
  return loopbackHosts.has(url.hostname) && url.port === base.port && url.protocol === base.protocol;
}

/** The serialised origin (RFC 6454 section 6), or `undefined` for `null` and anything else that names no site. */
function canonicalOrigin(text: string): string | undefined {
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^/?#@\s]+$/i.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.origin === "null" ? `${url.protocol}//${url.host}`.toLowerCase() : url.origin;
}

const allowedHeaders = [
  "authorization",
  "content-type",
  "accept",
  "last-event-id",
  "mcp-session-id",
  "mcp-protocol-version",
  "mcp-method",
  "mcp-name",
];

/** The answer to a preflight, before any authentication; 403 for an origin that is not allowed. */
export function preflight(request: Incoming, rules: OriginRules): Response {
  const origin = request.headers.get("origin");
  if (origin === null) return new Response(null, { status: 204, headers: { allow: allowedMethods } });
  if (!rules.allowed(origin)) return new Response(null, { status: 403, headers: { vary: "Origin" } });
  const asked = (request.headers.get("access-control-request-headers") ?? "").toLowerCase().split(",")
    .map((name) => name.trim()).filter((name) => /^[!#$%&'*+.^_`|~0-9a-z-]{1,64}$/.test(name));
  const headers = new Set([...allowedHeaders, ...asked.slice(0, 64)]);
  return new Response(null, {
    status: 204,
    headers: [
      ...corsHeaders(origin),
      ["access-control-allow-methods", "GET, POST, DELETE, HEAD, OPTIONS"],
      ["access-control-allow-headers", [...headers].join(", ")],
      ["access-control-max-age", "600"],
    ],
  });
}

/** The methods that the mount knows. */
export const allowedMethods = "GET, POST, DELETE, HEAD, OPTIONS";

/** What an answer to an allowed page carries; never with credentials, since only bearer tokens count. */
export function corsHeaders(origin: string): [string, string][] {
  return [
    ["access-control-allow-origin", origin],
    [
      "access-control-expose-headers",
      "WWW-Authenticate, Mcp-Session-Id, MCP-Protocol-Version, X-Request-Id, Retry-After",
    ],
    ["vary", "Origin"],
  ];
}
