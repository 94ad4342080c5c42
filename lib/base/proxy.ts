/**
 * Which outbound calls go through a proxy. The runtime knows HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY by
 * itself; what it does not know is decided here: a proxy by setting, `NO_PROXY=*`, and that loopback is never
 * reached through somebody else's machine.
 */
import type { HttpClientConfig } from "./http_config.ts";

const proxyVariables = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];

/** How calls get out. */
export interface ProxyRule {
  /** Set only when a setting names the proxy; otherwise the runtime reads the environment. */
  readonly proxyUrl: string | undefined;
  isDirect(url: URL): boolean;
}

/** Reads settings and environment. */
export function proxyRule(config: HttpClientConfig): ProxyRule {
  const proxyUrl = config.proxyUrl;
  const anyProxy = proxyUrl !== undefined || proxyVariables.some((name) => variable(name) !== undefined);
  if (!anyProxy) return { proxyUrl, isDirect: () => true };
  const exceptions = [...config.noProxy, ...(variable("NO_PROXY") ?? "").split(",")]
    .map((entry) => entry.trim().toLowerCase()).filter((entry) => entry !== "");
  return { proxyUrl, isDirect: (url) => isLoopbackHost(url.hostname) || isException(url, exceptions) };
}

/** The upper-case name before the lower-case one; empty counts as unset. */
function variable(name: string): string | undefined {
  return Deno.env.get(name) || Deno.env.get(name.toLowerCase()) || undefined;
}

/**
 * True for `localhost`, 127.0.0.0/8 and ::1, as `URL.hostname` spells them. Not for names under `localhost`, which
 * some resolvers ask the network about.
 */
export function isLoopbackHost(hostname: string): boolean {
  const host = hostname.toLowerCase().replace(/\.$/, "");
  return host === "localhost" || host === "[::1]" || host === "::1" ||
    /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** `*`, a host, a domain with or without a leading dot, each with or without a port, or an IPv4 network. */
function isException(url: URL, exceptions: readonly string[]): boolean {
  const host = url.hostname.toLowerCase().replace(/\.$/, "").replace(/^\[|\]$/g, "");
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return exceptions.some((entry) => {
    if (entry === "*") return true;
    if (entry.includes("/")) return inNetwork(host, entry);
    const [, name = "", wantedPort] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(entry) ?? [];
    if (wantedPort !== undefined && wantedPort !== port) return false;
    const domain = name.replace(/^\*?\./, "");
    return host === domain || host.endsWith(`.${domain}`);
  });
}

function inNetwork(host: string, network: string): boolean {
  const [base = "", bits = ""] = network.split("/");
  const [address, start] = [ipv4Number(host), ipv4Number(base)];
  if (address === undefined || start === undefined || !/^\d+$/.test(bits)) return false;
  const size = 2 ** (32 - Math.min(32, Number(bits)));
  return Math.floor(address / size) === Math.floor(start / size);
}

function ipv4Number(text: string): number | undefined {
  const parts = /^(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text)?.slice(1).map(Number);
  if (parts === undefined || parts.some((part) => part > 255)) return undefined;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}

/** The http proxy for an https URL, by setting or environment; `undefined`: direct. */
export function proxyFor(url: URL, config: HttpClientConfig): URL | undefined {
  const named = config.proxyUrl ?? variable("HTTPS_PROXY") ?? variable("ALL_PROXY");
  if (named === undefined || proxyRule(config).isDirect(url)) return undefined;
  const text = named.includes("://") ? named : `http://${named}`;
  return URL.canParse(text) && text.startsWith("http://") ? new URL(text) : undefined;
}

/** Runs `create` while the environment names no proxy, for the client that must not use one. */
export function withoutProxyEnvironment<T>(create: () => T): T {
  const names = proxyVariables.flatMap((name) => [name, name.toLowerCase()]);
  const saved = names.map((name) => [name, Deno.env.get(name)] as const).filter(([, value]) => value);
  for (const [name] of saved) Deno.env.delete(name);
  try {
    return create();
  } finally {
    for (const [name, value] of saved) Deno.env.set(name, value ?? "");
  }
}
