/**
 * Addresses that are not somebody's public host: everything in the special-purpose registries (RFC 6890 and its
 * successors), for both families and for IPv4 inside IPv6. What cannot be read counts as special.
 */

/** Networks of IPv4 as first address and prefix length. */
const ipv4Networks: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8], // this network
  ["10.0.0.0", 8], // private
  ["100.64.0.0", 10], // shared, carrier-grade NAT
  ["127.0.0.0", 8], // loopback
  ["169.254.0.0", 16], // link local, cloud metadata
  ["172.16.0.0", 12], // private
  ["192.0.0.0", 24], // IETF protocol assignments
  ["192.0.2.0", 24], // documentation
  ["192.31.196.0", 24], // AS112
  ["192.52.193.0", 24], // AMT
  ["192.88.99.0", 24], // 6to4 relays
  ["192.168.0.0", 16], // private
  ["192.175.48.0", 24], // AS112
  ["198.18.0.0", 15], // benchmarking
  ["198.51.100.0", 24], // documentation
  ["203.0.113.0", 24], // documentation
  ["224.0.0.0", 4], // multicast
  ["240.0.0.0", 4], // reserved, broadcast
];

/** Of IPv6 only 2000::/3 is public at all; these are the special parts of it. */
const ipv6Networks: readonly (readonly [string, number])[] = [
  ["2001::", 23], // IETF protocol assignments: Teredo, ORCHID, benchmarking
  ["2001:db8::", 32], // documentation
  ["2002::", 16], // 6to4, which carries any IPv4 address
  ["2620:4f:8000::", 48], // AS112
  ["3fff::", 20], // documentation
];

/** True unless the text is one public unicast address, with or without the brackets of a URL. */
export function isSpecialAddress(text: string): boolean {
  const bytes = addressBytes(text);
  if (bytes === undefined) return true;
  if (bytes.length === 4) return ipv4Networks.some((network) => isWithin(bytes, network));
  return !isWithin(bytes, ["2000::", 3]) || ipv6Networks.some((network) => isWithin(bytes, network));
}

/** True for 127.0.0.0/8 and ::1, also as IPv4 inside IPv6. */
export function isLoopbackAddress(text: string): boolean {
  const bytes = addressBytes(text);
  if (bytes === undefined) return false;
  return bytes.length === 4
    ? bytes[0] === 127
    : isWithin(bytes, ["::1", 128]) || isWithin(bytes, ["::ffff:127.0.0.0", 104]);
}

function isWithin(bytes: readonly number[], [first, length]: readonly [string, number]): boolean {
  const network = addressBytes(first) ?? [];
  return bytes.length === network.length && bytes.every((byte, at) => {
    const mask = (0xff00 >> Math.max(0, Math.min(8, length - at * 8))) & 0xff;
    return ((byte ^ (network[at] ?? 0)) & mask) === 0;
  });
}

/** 4 or 16 bytes; `undefined` for anything but a plain dotted or colon-separated address. */
export function addressBytes(text: string): number[] | undefined {
  const bare = text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text;
  return bare.includes(":") ? ipv6Bytes(bare) : ipv4Bytes(bare);
}

function ipv4Bytes(text: string): number[] | undefined {
  const parts = text.split(".");
  // A leading zero means octal to some readers and decimal to others.
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part))) return undefined;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

function ipv6Bytes(text: string): number[] | undefined {
  let groups = text;
  const embedded = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (embedded !== null) {
    const four = ipv4Bytes(embedded[2] ?? "");
    if (four === undefined) return undefined;
    const pair = (at: number) => (((four[at] ?? 0) << 8) | (four[at + 1] ?? 0)).toString(16);
    groups = `${embedded[1]}${pair(0)}:${pair(2)}`;
  }
  const halves = groups.split("::");
  if (halves.length > 2) return undefined;
  const [head = [], tail = []] = halves.map((half) => half === "" ? [] : half.split(":"));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const all = [...head, ...Array<string>(missing).fill("0"), ...tail];
  if (!all.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return all.flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff]);
}
