import type { MiddlewareHandler } from "hono";

/** What MCP clients send to any endpoint; `*` would not cover Authorization. */
const usualHeaders = [
  "authorization",
  "content-type",
  "accept",
  "mcp-protocol-version",
  "mcp-session-id",
  "mcp-method",
  "mcp-name",
  "last-event-id",
];

/** Header names as a browser may ask for them, at most this many. */
const headerName = /^[a-z0-9-]+$/;
const maxHeaders = 32;

/**
 * CORS for endpoints that any web page may use, since they take no cookies: metadata, registration, token, revocation.
 * Never for those that a person sees.
 */
export function publicCors(): MiddlewareHandler {
  return async (c, next) => {
    if (c.req.method === "OPTIONS") {
      const asked = (c.req.header("access-control-request-headers") ?? "").split(",").map((name) =>
        name.trim().toLowerCase()
      );
      const known = asked.filter((name) => headerName.test(name)).slice(0, maxHeaders);
      return new Response(null, {
        status: 204,
        headers: {
          "access-control-allow-origin": "*",
          "access-control-allow-methods": "GET, HEAD, POST, OPTIONS",
          "access-control-allow-headers": [...new Set([...usualHeaders, ...known])].join(", "),
          "access-control-max-age": "600",
          "cache-control": "no-store",
        },
      });
    }
    await next();
    c.res.headers.set("access-control-allow-origin", "*");
    c.res.headers.set("access-control-expose-headers", "WWW-Authenticate, Retry-After");
  };
}
