/**
 * Redirect URIs: which may be registered, and which registered one a request means.
 *
 * Registration takes https on known hosts, http on loopback, and known private-use schemes. A request must repeat a
 * registered one exactly; only the port of a loopback redirect is free (RFC 8252 section 7.3), since native
 * clients listen where they find room, also when they had registered a port.
 */
import { isLoopbackHost } from "../base/proxy.ts";

/** What an operator allows beyond the built-in lists. */
export interface RedirectPolicy {
  /** Host names, `*.example.com` for those under one, or `*` for any https host. */
  readonly hosts: readonly string[];
  /** Private-use schemes without colon; `*` for any whose name has a dot (RFC 8252 section 7.1). */
  readonly schemes: readonly string[];
}

/** Hosts that the well-known clients come back to. */
export const builtInHosts: readonly string[] = [
  "claude.ai",
  "claude.com",
  "chatgpt.com",
  "chat.openai.com",
  "platform.openai.com",
  "cursor.com",
  "www.cursor.com",
  "vscode.dev",
  "insiders.vscode.dev",
  "*.consent.azure-apim.net",
  "oauth.n8n.cloud",
];

/** Schemes that the well-known desktop clients come back by. */
export const builtInSchemes: readonly string[] = [
  "cursor",
  "vscode",
  "vscode-insiders",
  "vscodium",
  "claude",
  "windsurf",
  "windsurf-next",
  "jetbrains",
  "zed",
  "kiro",
  "trae",
  "raycast",
  "com.raycast",
  "warp",
];

/** Schemes that run code or read files in a browser; never, whatever the policy. */
const forbiddenSchemes: readonly string[] = [
  "javascript",
  "data",
  "file",
  "blob",
  "vbscript",
  "about",
  "filesystem",
  "view-source",
  "ws",
  "wss",
  "ftp",
  "mailto",
  "tel",
  "intent",
  "jar",
  "ms-its",
  "mhtml",
  "chrome",
  "resource",
];

const maxLength = 512;

/** Why this URI may not be registered, as a sentence without the URI itself; `undefined` when it may. */
export function redirectUriRefusal(uri: string, policy: RedirectPolicy): string | undefined {
  if (uri.length > maxLength) return `A redirect URI is longer than ${maxLength} characters`;
  // Printable ASCII without quotes, angle brackets, backslash, braces: what RFC 3986 allows to stand in a URI.
  if (!/^[\x21\x23-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]+$/.test(uri)) {
    return "A redirect URI has characters that no URI may have";
  }
  if (uri.includes("#")) return "A redirect URI has a fragment";
  if (uri.includes("*")) return "A redirect URI has a wildcard";
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(uri)?.[1]?.toLowerCase();
  if (scheme === undefined || !URL.canParse(uri)) return "A redirect URI is not an absolute URI";
  if (forbiddenSchemes.includes(scheme)) return "A redirect URI has a scheme that is never allowed";
  if (authority(uri).includes("@")) return "A redirect URI has user information";
  const url = new URL(uri);
  if (scheme !== "http" && scheme !== "https") return privateUseRefusal(scheme, policy);
  // The parser repairs `https:host` and `https:///host`; what it repairs is not what a browser was shown.
  if (!/^https?:\/\/[^/?]/i.test(uri)) return "A redirect URI has no host";
  if (isLoopbackHost(url.hostname)) return undefined;
  if (scheme === "http") return "A redirect URI is http on a host that is not loopback";
  return hostAllowed(url.hostname, policy) ? undefined : "A redirect URI has a host that is not on the list";
}

function privateUseRefusal(scheme: string, policy: RedirectPolicy): string | undefined {
  const allowed = [
    ...builtInSchemes,
    ...policy.schemes.map((entry) => entry.toLowerCase().replace(/:.*$/, "")),
  ];
  if (allowed.includes(scheme)) return undefined;
  if (policy.schemes.includes("*") && scheme.includes(".")) return undefined;
  return "A redirect URI has a scheme that is not on the list";
}

function hostAllowed(hostname: string, policy: RedirectPolicy): boolean {
  const host = hostname.toLowerCase().replace(/\.$/, "");
  return [...builtInHosts, ...policy.hosts].some((entry) => {
    const wanted = entry.toLowerCase();
    if (wanted === "*") return true;
    return wanted.startsWith("*.") ? host.endsWith(wanted.slice(1)) : host === wanted;
  });
}

/** The registered URI that a request's `redirect_uri` means; `undefined` when it means none. */
export function matchRedirectUri(requested: string, registered: readonly string[]): string | undefined {
  if (registered.includes(requested)) return requested;
  const asked = loopbackParts(requested);
  if (asked === undefined) return undefined;
  return registered.find((uri) => {
    const known = loopbackParts(uri);
    // `localhost` and 127.0.0.1 stay different names: only the port is free.
    return known !== undefined && known.host === asked.host && known.rest === asked.rest;
  });
}

/** True for http on `localhost`, 127.0.0.0/8 or ::1, where any program of the machine may listen. */
export function isLoopbackRedirect(uri: string): boolean {
  return loopbackParts(uri) !== undefined;
}

/** Host and what follows the port, compared as text: nothing is decoded or normalised. */
function loopbackParts(uri: string): { host: string; rest: string } | undefined {
  const [, host, , rest] =
    /^http:\/\/(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(:\d{1,5})?((?:[/?].*)?)$/i
      .exec(uri) ?? [];
  if (host === undefined || rest === undefined || /[#\s\\]/.test(rest) || !URL.canParse(uri)) {
    return undefined;
  }
  return { host: host.toLowerCase(), rest };
}

function authority(uri: string): string {
  return /^[^:]+:\/\/([^/?]*)/.exec(uri)?.[1] ?? "";
}
