/** On every answer of the public listener, errors included; a page that needs another policy sets its own. */
export const securityHeaders: readonly (readonly [string, string])[] = [
  ["strict-transport-security", "max-age=63072000; includeSubDomains"],
  ["x-content-type-options", "nosniff"],
  ["x-frame-options", "DENY"],
  ["referrer-policy", "no-referrer"],
  ["content-security-policy", "default-src 'none'; frame-ancestors 'none'"],
];

/** Adds what is missing; an answer that must not be compressed or kept by anybody on the way says so. */
export function withSecurityHeaders(
  response: Response,
  body: Uint8Array<ArrayBuffer> | ReadableStream | null = response.body,
): Response {
  const headers = new Headers(response.headers);
  for (const [name, value] of securityHeaders) if (!headers.has(name)) headers.set(name, value);
  const cache = headers.get("cache-control");
  if (cache === null) headers.set("cache-control", "no-store, no-transform");
  else if (!cache.includes("no-transform")) headers.set("cache-control", `${cache}, no-transform`);
  return new Response(body, { status: response.status, headers });
}
