import { headerOf } from "../upstream/upstream.ts";
import { Reply } from "./reply.ts";

/** On every answer of the public listener, errors included; a page that needs another policy sets its own. */
export const securityHeaders: readonly (readonly [string, string])[] = [
  ["strict-transport-security", "max-age=63072000; includeSubDomains"],
  ["x-content-type-options", "nosniff"],
  ["x-frame-options", "DENY"],
  ["referrer-policy", "no-referrer"],
  ["content-security-policy", "default-src 'none'; frame-ancestors 'none'"],
];

/** Adds what is missing; an answer that must not be compressed or kept by anybody on the way says so. */
export function withSecurityHeaders({ status, headers: given, body }: Reply): Reply {
  const headers = given.filter(([name]) => name !== "cache-control");
  for (const [name, value] of securityHeaders) {
    if (headerOf(given, name) === undefined) headers.push([name, value]);
  }
  const cache = headerOf(given, "cache-control") ?? "no-store";
  headers.push(["cache-control", cache.includes("no-transform") ? cache : `${cache}, no-transform`]);
  return new Reply(status, headers, body);
}
