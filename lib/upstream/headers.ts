/**
 * Which headers go through. From the client: everything that MCP or the application may use, and nothing that says
 * who somebody is or where a request came from, since the upstream believes that of us alone. From the upstream: a
 * list of names, since anything else speaks about a connection or a site that the client does not see.
 */
import type { HeaderList } from "./upstream.ts";

/** Names that are never passed on, with `_` read as `-`: CGI-like servers take the two for the same name. */
const withheld = new Set([
  // About the connection to us (RFC 9110 section 7.6.1) or made anew for the next one.
  "connection",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
  "expect",
  "host",
  "content-length",
  "accept-encoding",
  "max-forwards",
  // Credentials of the client.
  "authorization",
  "cookie",
  "cookie2",
  "x-authorization",
  "x-access-token",
  "x-id-token",
  "x-csrf-token",
  // Where the request came from.
  "forwarded",
  "via",
  "origin",
  "referer",
  "x-real-ip",
  "x-host",
  "x-request-id",
  "x-cluster-client-ip",
  "x-proxyuser-ip",
  "x-azure-clientip",
  "x-appengine-user-ip",
  "x-rewrite-url",
  "x-http-method",
  "x-http-method-override",
  "x-method-override",
  "x-forwarded",
  "x-forwarder-for",
  "x-forward-for",
  "client-ip",
  "true-client-ip",
  "fastly-client-ip",
  "remote-addr",
  // Who somebody is.
  "from",
  "x-email",
  "x-groups",
  "x-roles",
  "x-role",
  "x-subject",
  "x-sub",
  "x-principal",
  "x-identity",
  "x-username",
]);

/** Families of the same, by how the name begins. */
const withheldPrefixes = [
  "proxy-",
  "sec-",
  "access-control-",
  "x-forwarded-",
  "x-original-",
  "x-client-",
  "x-user",
  "x-auth",
  "x-remote-",
  "remote-",
  "x-webauth-",
  "x-authenticated-",
  "x-verified-",
  "x-jwt-",
  "x-token-",
  "x-oidc-",
  "x-ssl-",
  "ssl-client",
  "cf-",
  "x-amzn-oidc-",
  "x-amzn-mtls-",
  "x-envoy-",
  "x-goog-",
  "x-ms-client-principal",
  "x-ms-token-",
  "x-appengine-",
  "x-endpoint-api-",
  "x-tailscale-",
  "tailscale-",
  "x-pomerium-",
  "x-vouch-",
  "x-authentik-",
  "x-credential-",
  "x-spiffe-",
  "x-consumer-",
];

/** Whether a client's header of this name (lower case) may go on. */
export function mayGoOn(name: string): boolean {
  // An intermediary must hand these on whatever follows (MCP 2026-07-28, custom parameters).
  if (name.startsWith("mcp-")) return true;
  const spelled = name.replaceAll("_", "-");
  if (withheld.has(spelled)) return false;
  return !withheldPrefixes.some((prefix) => spelled.startsWith(prefix));
}

const decided = new Map<string, boolean>();

function mayGoOnRemembered(name: string): boolean {
  let verdict = decided.get(name);
  if (verdict === undefined) {
    verdict = mayGoOn(name);
    if (decided.size < 512) decided.set(name, verdict);
  }
  return verdict;
}

/**
 * The headers of a client's request that may go on, without those that `owned` keeps for us and those that the
 * request's `Connection` header names. A name that comes twice arrives as one value joined by commas.
 */
export function requestHeaders(from: Headers, owned: ReadonlySet<string>): HeaderList {
  const out: HeaderList = [];
  const connection = from.get("connection");
  const nominated = connection === null || connection === "keep-alive" || connection === "close"
    ? undefined
    : new Set(connection.toLowerCase().split(",").map((name) => name.trim()));
  for (const header of from) {
    const name = header[0];
    if (!mayGoOnRemembered(name) || owned.has(name) || owned.has(name.replaceAll("_", "-"))) continue;
    if (nominated?.has(name) === true) continue;
    out.push(header);
  }
  // Without this fetch asks for compression and takes it off again, which costs and leaves wrong headers behind.
  out.push(["accept-encoding", "identity"]);
  return out;
}

/** What an upstream may tell a client. */
const told = [
  "content-type",
  "content-length",
  "mcp-protocol-version",
  "allow",
  "content-disposition",
  "content-language",
  "content-range",
  "accept-ranges",
  "etag",
  "last-modified",
  "link",
  "retry-after",
  "traceresponse",
  "server-timing",
  "deprecation",
  "sunset",
];

const toldSet = new Set(told);

/** The headers of the upstream's answer that may go on. `Mcp-Session-Id` is left to who binds sessions. */
export function responseHeaders(from: Headers): HeaderList {
  const out: HeaderList = [];
  const encoding = from.get("content-encoding");
  for (const header of from) {
    const name = header[0];
    if (toldSet.has(name)) {
      if (name !== "content-length" || encoding === null) out.push(header);
    } else if (name.startsWith("mcp-") && name !== "mcp-session-id") out.push(header);
  }
  return out;
}
