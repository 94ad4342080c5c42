/** Where we listen, and under which URL and path clients know us. */
import { isLoopback } from "../../base/loopback.ts";
import type { ListenAddress } from "../../base/net_kinds.ts";
import type { Reading } from "../reading.ts";
import { label } from "../settings.ts";

/** The public side of the server. */
export interface Address {
  readonly listen: ListenAddress;
  /** The public URL without a trailing slash. */
  readonly baseUrl: string;
  readonly resource: string;
  /** `/` for every path that is not ours. */
  readonly mountPath: string;
}

/** Listen address, public URL and mount of this configuration. */
export function address(reading: Reading): Address {
  const listen = listenAddress(reading);
  const baseUrl = publicUrl(reading, listen);
  const basePath = new URL(baseUrl).pathname.replace(/\/$/, "");
  const mount = mountBelowBase(reading);
  const mountPath = `${basePath}${mount}`.replace(/(?<=.)\/$/, "") || "/";
  return { listen, baseUrl, resource: `${baseUrl}${mount}`.replace(/\/$/, ""), mountPath };
}

function listenAddress(reading: Reading): ListenAddress {
  const { values, problems } = reading;
  const loopbackOnly = values.inbound === "none";
  const whole = values.listenAddr;
  const hostname = stronger(reading, "host", values.host, whole?.hostname);
  const port = stronger(reading, "port", reading.given.has("port") ? values.port : undefined, whole?.port);
  const listen = {
    hostname: hostname ?? (loopbackOnly ? "127.0.0.1" : "0.0.0.0"),
    port: port ?? values.platformPort ?? values.port ?? 8000,
  };
  if (loopbackOnly && !isLoopback(listen.hostname)) {
    problems.push(
      `Cannot listen on ${listen.hostname} with inbound none: nobody would be asked to log in; ` +
        "listen on 127.0.0.1 or choose another INBOUND_AUTH_PROVIDER",
    );
  }
  return listen;
}

/** Of a part's own name and `LISTEN_ADDR`, the one whose source beats the other's; from one source they must agree. */
function stronger<T>(
  reading: Reading,
  key: "host" | "port",
  own: T | undefined,
  whole: T | undefined,
): T | undefined {
  const { given, ranks, problems } = reading;
  if (own === undefined || whole === undefined || own === whole) return own ?? whole;
  const ahead = (ranks.get(key) ?? 0) - (ranks.get("listenAddr") ?? 0);
  if (ahead === 0) {
    problems.push(
      `Cannot use ${given.get("listenAddr")} together with a different ${
        given.get(key)
      }: they are one setting; keep one`,
    );
  }
  return ahead <= 0 ? own : whole;
}

function publicUrl(reading: Reading, listen: ListenAddress): string {
  const { values, dialect, problems } = reading;
  const url = values[dialect.baseUrl];
  const local = `http://${
    listen.hostname.includes(":") ? `[${listen.hostname}]` : listen.hostname
  }:${listen.port}`;
  if (url === undefined) {
    if (values.inbound !== "none" && !reading.given.has(dialect.baseUrl)) {
      problems.push(
        `Cannot start in http mode without ${label("baseUrl")}: the URL under which clients reach us`,
      );
    }
    return local;
  }
  const name = reading.given.get(dialect.baseUrl);
  if (url.search !== "" || url.hash !== "" || /[?#]$/.test(url.href)) {
    problems.push(`Cannot use "${url.href}" as ${name}: expected a URL without query and fragment`);
  }
  if (url.protocol !== "https:" && !isLoopback(url.hostname)) {
    problems.push(`Cannot use "${url.href}" as ${name}: expected https, except on this machine`);
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "");
}

const ourPaths = [
  "/healthz",
  "/register",
  "/authorize",
  "/consent",
  "/callback",
  "/auth/callback",
  "/token",
  "/revoke",
  "/oauth/register",
  "/.well-known",
];

/** The mount without the base URL's own path; empty for the base itself. */
function mountBelowBase(reading: Reading): string {
  const { values, dialect, problems } = reading;
  if (values.proxyPath !== undefined) {
    return checkedMount(values.proxyPath, `${reading.given.get("proxyPath")}`, problems);
  }
  if (dialect.mount === "base") return "/mcp";
  if (dialect.mount === "all" || values.upstreamUrl === undefined) return "";
  const { upstreamUrl } = values;
  const name = `${reading.given.get("upstreamUrl")}`;
  if (upstreamUrl.search !== "" || upstreamUrl.hash !== "") {
    problems.push(`Cannot use "${upstreamUrl.href}" as ${name}: expected a URL without query and fragment`);
  }
  if (upstreamUrl.pathname.replaceAll("/", "") === "") {
    problems.push(
      `Cannot use "${upstreamUrl.href}" as ${name}: its path is where clients reach us, ` +
        `so it needs one, such as ${upstreamUrl.origin}/mcp`,
    );
    return "/mcp";
  }
  return checkedMount(upstreamUrl.pathname, `the path of ${name}`, problems);
}

function checkedMount(path: string, name: string, problems: string[]): string {
  const mount = path.replace(/\/+$/, "");
  if (mount === "") return "";
  if (
    !/^(\/[A-Za-z0-9._~-]+)+$/.test(mount) || mount.split("/").some((part) => part === "." || part === "..")
  ) {
    problems.push(
      `Cannot use "${path}" as ${name}: expected a path of letters, digits and - . _ ~, such as /mcp`,
    );
    return "/mcp";
  }
  const ours = ourPaths.find((own) => mount === own || mount.startsWith(`${own}/`));
  if (ours !== undefined) problems.push(`Cannot use "${path}" as ${name}: ${ours} is a path of our own`);
  return mount;
}
