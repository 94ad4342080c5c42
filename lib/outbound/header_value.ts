/** Names that carry the message itself; a credential set there would break the request. */
const framing = new Set([
  "accept-encoding",
  "connection",
  "content-length",
  "content-type",
  "expect",
  "host",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Whether a configured credential may be set under this header name (a token of RFC 9110 section 5.6.2). */
export function isCredentialHeaderName(name: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/.test(name) && !framing.has(name.toLowerCase());
}

/** Whether a text can be sent as a header value as it is (RFC 9110 section 5.5): printable ASCII, blanks inside only. */
export function isHeaderValue(value: string): boolean {
  return /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(value);
}

/**
 * Any text as a header value: fetch takes one character per byte, so that UTF-8 goes out as raw bytes; control
 * characters, which would end the header, become blanks.
 */
export function utf8HeaderValue(text: string): string {
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  const clean = text.replaceAll(/[\u0000-\u001f\u007f]/g, " ").trim();
  // deno-lint-ignore no-control-regex -- ASCII needs no encoding
  if (/^[\u0000-\u007f]*$/.test(clean)) return clean;
  let out = "";
  for (const byte of new TextEncoder().encode(clean)) out += String.fromCharCode(byte);
  return out;
}
