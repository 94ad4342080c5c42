/** Kinds of settings that name hosts and addresses. */
import { kind } from "./kinds.ts";
import type { Kind } from "./setting.ts";

/** Where a server listens. */
export interface ListenAddress {
  readonly hostname: string;
  readonly port: number;
}

/** `:8080`, `127.0.0.1:8080` or `[::1]:8080`; without a host every address. */
export const listenAddress: Kind<ListenAddress> = kind("HOST:PORT", (value) => {
  const match = /^(?:\[([0-9a-fA-F:.]+(?:%[\w.]+)?)\]|([^:\s[\]/]*)):(\d{1,5})$/.exec(value.trim());
  const port = match === null ? NaN : Number(match[3]);
  if (match === null || port > 65_535) {
    throw new Error("an address such as :8080, 127.0.0.1:8080 or [::1]:8080");
  }
  return { hostname: match[1] ?? (match[2] === "" ? "0.0.0.0" : match[2] ?? "0.0.0.0"), port };
});

/** A listen address, or `off`. */
export const listenAddressOrOff: Kind<ListenAddress | "off"> = kind("HOST:PORT", (value) => {
  if (["off", "none"].includes(value.trim().toLowerCase())) return "off";
  try {
    return listenAddress.parse(value);
  } catch {
    throw new Error("an address such as 127.0.0.1:9090, or off");
  }
});

/** A host name or address to bind to. */
export const host: Kind<string> = kind("HOST", (value) => {
  const name = value.trim().replace(/^\[(.*)\]$/, "$1");
  if (!/^[A-Za-z0-9._-]+$/.test(name) && !/^[0-9a-fA-F:.]+(%[\w.]+)?$/.test(name)) {
    throw new Error("a host name or an IP address");
  }
  return name;
});

const ipv4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;

function isIpv6(text: string): boolean {
  return /^[0-9a-fA-F:.]+$/.test(text) && text.includes(":") && URL.canParse(`http://[${text}]/`);
}

/** Networks such as `10.0.0.0/8`, between commas. The mask must be there. */
export const cidrList: Kind<readonly string[]> = kind("CIDR,…", (value) => {
  const entries = value.split(",").map((entry) => entry.trim()).filter((entry) => entry !== "");
  for (const entry of entries) {
    const match = /^([^/]+)\/(\d{1,3})$/.exec(entry);
    const address = match?.[1] ?? "";
    const bits = Number(match?.[2] ?? NaN);
    const good = ipv4.test(address) ? bits <= 32 : isIpv6(address) && bits <= 128;
    if (!good) throw new Error(`networks such as 10.0.0.0/8,fd00::/8 (not "${entry}")`);
  }
  return entries;
});

/** Origins such as `https://claude.ai`, between commas; `*` allows every one. */
export const originList: Kind<readonly string[]> = kind("ORIGIN,…", (value) => {
  const entries = value.split(",").map((entry) => entry.trim()).filter((entry) => entry !== "");
  return entries.map((entry) => {
    if (entry === "*") return entry;
    const parsed = /^[a-z][a-z0-9+.-]*:\/\//i.test(entry) && URL.canParse(entry) ? new URL(entry) : undefined;
    const bare = parsed !== undefined && ["", "/"].includes(parsed.pathname) && parsed.search === "" &&
      parsed.hash === "" && parsed.username === "" && !parsed.host.includes("*") && parsed.host !== "";
    if (!bare) throw new Error(`origins such as https://claude.ai, or * (not "${entry}")`);
    return `${parsed.protocol}//${parsed.host}`;
  });
});
