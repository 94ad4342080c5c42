/**
 * The request target, read from the raw request: what is routed on is what is sent on, byte for byte, so that no two
 * parties can disagree about which path was meant.
 */

/** A target that can be routed. */
export interface Target {
  /** The raw path, starting with `/`. */
  readonly path: string;
  /** The raw query with its `?`, or empty. */
  readonly query: string;
  /** Host and port that the request names. */
  readonly authority: string;
}

/**
 * Splits a server-side request URL, which the runtime builds from the target or the `Host` header without normalising
 * it. `undefined` when the two name different hosts or the host is no host (RFC 9112 section 3.2).
 */
export function readTarget(url: string, host: string | null): Target | undefined {
  const start = url.indexOf("://") + 3;
  if (start < 3) return undefined;
  let slash = url.length;
  let question = -1;
  for (let at = start; at < url.length; at++) {
    const char = url.charCodeAt(at);
    if (char === 0x2f && slash === url.length) slash = at;
    else if (char === 0x3f) {
      question = at;
      break;
    } else if (char === 0x23) return undefined;
  }
  if (question >= 0 && question < slash) slash = question;
  const authority = url.slice(start, slash);
  // Over HTTP/2 there is no Host header; the authority alone names the host.
  if (host !== null && host !== authority && host.toLowerCase() !== authority.toLowerCase()) return undefined;
  if (authority === "" || !isAuthority(authority)) return undefined;
  const end = question < 0 ? url.length : question;
  return {
    path: slash === end ? "/" : url.slice(slash, end),
    query: question < 0 ? "" : url.slice(question),
    authority,
  };
}

/**
 * Whether a request over plain HTTP names no host, which HTTP/1.1 forbids (RFC 9112 section 3.2): the runtime puts
 * `localhost` in its place. Over TLS that may be what the other side meant, since HTTP/2 has no such header.
 */
export function namesNoHost(url: string, host: string | null): boolean {
  return host === null && /^http:\/\/localhost[:/]/.test(url);
}

/** The raw query without tokens, which are neither taken from it nor handed on (RFC 9700 section 4.3.2). */
export function withoutTokens(query: string): string {
  if (query === "" || !/token|%/i.test(query)) return query;
  const kept = query.slice(1).split("&").filter((pair) => !isToken(pair));
  return kept.length === 0 ? "" : `?${kept.join("&")}`;
}

function isToken(pair: string): boolean {
  const [name] = new URLSearchParams(pair).keys();
  return name?.toLowerCase() === "access_token";
}

let lastAuthority = "";

/** A host name or address with an optional port. The last good one is remembered: it is nearly always the same. */
function isAuthority(text: string): boolean {
  if (text === lastAuthority) return true;
  if (!/^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/.test(text)) {
    return false;
  }
  // Such as a port beyond 65535 or a number that is no address, of which no URL can be made.
  if (!URL.canParse(`http://${text}`)) return false;
  lastAuthority = text;
  return true;
}

/**
 * Whether a path means the same to everybody: no empty, `.` or `..` segments, nothing encoded that would make one or
 * end one, only characters of RFC 3986. A slash at the end is allowed.
 */
export function isPlainPath(path: string): boolean {
  if (!/^(?:\/(?:[A-Za-z0-9._~!$&'()*+,=:@-]|%[0-9A-Fa-f]{2})*)+$/.test(path)) return false;
  if (path.includes("//") || /%(?:2e|2f|5c|25|[01][0-9a-f]|7f)/i.test(path)) return false;
  return !/\/\.{1,2}(?:\/|$)/.test(path) && (!path.includes("%") || isUtf8(path));
}

function isUtf8(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

/** The part of a plain path below the mount, with its leading slash; `undefined` when it is not on the mount. */
export function belowMount(path: string, mount: string): string | undefined {
  if (path === mount) return "";
  if (mount === "/") return isPlainPath(path) ? path : undefined;
  if (!path.startsWith(mount) || path.charCodeAt(mount.length) !== 0x2f) return undefined;
  return isPlainPath(path) ? path.slice(mount.length) : undefined;
}
