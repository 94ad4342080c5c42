/**
 * The address that rates are counted by: the peer, or behind a trusted proxy the right-most hop that is not one of
 * ours. It decides about nothing else. An IPv6 address counts by its /64, since that is what one customer has.
 */
import type { HeaderReader } from "./incoming.ts";

/** Who may name a client's address, and where. */
export interface AddressRules {
  /** CIDR blocks of our own proxies. */
  readonly trustedProxies: readonly string[];
  /** The header that they write, lower case. */
  readonly header: string;
  /** The legacy way: the left-most entry, from anybody. */
  readonly trustAnyProxy: boolean;
}

/** An address as 16 bytes, IPv4 mapped into IPv6 (RFC 4291 section 2.5.5.2). */
export function parseAddress(text: string): Uint8Array | undefined {
  const v4 = parseV4(text);
  if (v4 !== undefined) {
    const bytes = new Uint8Array(16);
    bytes.set([0xff, 0xff], 10);
    bytes.set(v4, 12);
    return bytes;
  }
  return parseV6(text);
}

function parseV4(text: string): number[] | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  return parts?.every((part) => part <= 255) ? parts : undefined;
}

function parseV6(text: string): Uint8Array | undefined {
  let rest = text.replace(/%[A-Za-z0-9._~-]+$/, "");
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(rest);
  if (dotted !== null) {
    const v4 = parseV4(dotted[2] ?? "");
    if (v4 === undefined) return undefined;
    const [a = 0, b = 0, c = 0, d = 0] = v4;
    rest = `${dotted[1]}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  }
  const halves = rest.split("::");
  if (halves.length > 2) return undefined;
  const groups = (half: string | undefined) => half === undefined || half === "" ? [] : half.split(":");
  const head = groups(halves[0]);
  const tail = groups(halves[1]);
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const all = [...head, ...Array<string>(missing).fill("0"), ...tail];
  const bytes = new Uint8Array(16);
  for (const [at, group] of all.entries()) {
    if (!/^[0-9a-f]{1,4}$/i.test(group)) return undefined;
    const value = parseInt(group, 16);
    bytes[at * 2] = value >> 8;
    bytes[at * 2 + 1] = value & 0xff;
  }
  return bytes;
}

interface Block {
  readonly bytes: Uint8Array;
  readonly bits: number;
}

function parseBlock(cidr: string): Block | undefined {
  const at = cidr.lastIndexOf("/");
  const address = at < 0 ? cidr : cidr.slice(0, at);
  const bytes = parseAddress(address);
  if (bytes === undefined) return undefined;
  const isV4 = !address.includes(":");
  const bits = at < 0 ? (isV4 ? 32 : 128) : Number(cidr.slice(at + 1));
  return { bytes, bits: isV4 ? bits + 96 : bits };
}

function inBlock(address: Uint8Array, { bytes, bits }: Block): boolean {
  for (let at = 0, left = bits; left > 0; at++, left -= 8) {
    const mask = left >= 8 ? 0xff : 0xff << (8 - left) & 0xff;
    if (((address[at] ?? 0) & mask) !== ((bytes[at] ?? 0) & mask)) return false;
  }
  return true;
}

/** The text that stands for an address in limits: IPv4 as it is, IPv6 by its first 64 bits. */
export function addressKey(bytes: Uint8Array): string {
  const mapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff &&
    bytes[11] === 0xff;
  if (mapped) return bytes.subarray(12).join(".");
  const groups = [0, 2, 4, 6].map((at) => ((bytes[at] ?? 0) << 8 | (bytes[at + 1] ?? 0)).toString(16));
  return `${groups.join(":")}::/64`;
}

/** Returns what reads a request's address. */
export function addressReader(rules: AddressRules): (peer: string, headers: HeaderReader) => string {
  const blocks = rules.trustedProxies.map(parseBlock).filter((block) => block !== undefined);
  const keys = new Map<string, { key: string; trusted: boolean }>();

  const peerKey = (peer: string) => {
    let found = keys.get(peer);
    if (found === undefined) {
      const bytes = parseAddress(peer);
      found = bytes === undefined
        ? { key: peer, trusted: false }
        : { key: addressKey(bytes), trusted: blocks.some((block) => inBlock(bytes, block)) };
      if (keys.size >= 4_096) keys.clear();
      keys.set(peer, found);
    }
    return found;
  };

  const named = (headers: HeaderReader): string | undefined => {
    const hops = (headers.get(rules.header) ?? "").split(",").map((hop) => hop.trim()).filter((hop) =>
      hop !== ""
    );
    for (const hop of hops.reverse()) {
      const bytes = parseAddress(bareHop(hop));
      if (bytes === undefined) return undefined;
      if (!blocks.some((block) => inBlock(bytes, block))) return addressKey(bytes);
    }
    return undefined;
  };

  if (rules.trustAnyProxy && blocks.length === 0) {
    return (peer, headers) => {
      const first = headers.get("true-client-ip") ?? headers.get("x-real-ip") ??
        headers.get("x-forwarded-for")?.split(",")[0];
      const bytes = first === undefined || first === null ? undefined : parseAddress(bareHop(first.trim()));
      return bytes === undefined ? peerKey(peer).key : addressKey(bytes);
    };
  }
  return (peer, headers) => {
    const { key, trusted } = peerKey(peer);
    return trusted ? named(headers) ?? key : key;
  };
}

/** A hop without brackets and port. */
function bareHop(hop: string): string {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(hop);
  if (bracketed !== null) return bracketed[1] ?? "";
  return /^[\d.]+:\d+$/.test(hop) ? hop.slice(0, hop.indexOf(":")) : hop;
}
