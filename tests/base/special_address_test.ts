import assert from "node:assert/strict";
import fc from "fast-check";
import { addressBytes, isLoopbackAddress, isSpecialAddress } from "../../lib/base/special_address.ts";

const special = [
  ..."0.0.0.0 10.1.2.3 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.255 169.254.169.254 172.16.0.1 172.31.255.255"
    .split(" "),
  ..."192.0.0.1 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1"
    .split(" "),
  ..."239.1.1.1 240.0.0.1 255.255.255.255".split(" "),
  ...":: ::1 ::ffff:8.8.8.8 ::ffff:127.0.0.1 ::127.0.0.1 64:ff9b::8.8.8.8 64:ff9b:1::1 100::1 fc00::1 fdff::1"
    .split(" "),
  ..."fe80::1 fec0::1 ff02::1 2001::1 2001:db8::1 2002:7f00:1:: 3fff::1 5f00::1 fe80::1%eth0".split(" "),
  ..." localhost 1.2.3 1.2.3.4.5 1.2.3.256 01.2.3.4 0x1.2.3.4 1.2.3.4/8 ::g 1::2::3 1:2:3:4:5:6:7:8:9 ::1.2.3"
    .split(" "),
];
const open =
  "8.8.8.8 1.1.1.1 172.15.0.1 172.32.0.1 100.63.0.1 100.128.0.1 9.255.255.255 11.0.0.1 198.17.0.1 223.255.255.255"
    .split(" ").concat("2606:4700::1111 2a00:1450:4001:80b::200e 2001:200::1 [2606:4700::1111]".split(" "));

for (const address of special) {
  Deno.test(`isSpecialAddress() holds for "${address}"`, () => assert.equal(isSpecialAddress(address), true));
}
for (const address of open) {
  Deno.test(`isSpecialAddress() does not hold for "${address}"`, () =>
    assert.equal(isSpecialAddress(address), false));
}

Deno.test("isSpecialAddress() says the same of every spelling of an IPv6 address", () => {
  fc.assert(fc.property(fc.ipV6(), (address) => {
    const bytes = addressBytes(address);
    assert.ok(bytes !== undefined && bytes.length === 16);
    const groups = Array.from(
      { length: 8 },
      (_, at) => ((bytes[at * 2] ?? 0) << 8) | (bytes[at * 2 + 1] ?? 0),
    );
    const long = groups.map((group) => group.toString(16).padStart(4, "0").toUpperCase()).join(":");
    const byUrl = new URL(`http://[${long}]/`).hostname;
    assert.equal(isSpecialAddress(long), isSpecialAddress(address));
    assert.equal(isSpecialAddress(byUrl), isSpecialAddress(address));
  }));
});

Deno.test("isSpecialAddress() holds for every IPv4 address inside IPv6, however it is wrapped", () => {
  fc.assert(fc.property(fc.ipV4(), fc.constantFrom("::ffff:", "::", "64:ff9b::"), (address, prefix) => {
    assert.equal(isSpecialAddress(prefix + address), true);
    const hex = (addressBytes(address) ?? []).map((byte) => byte.toString(16).padStart(2, "0")).join("");
    assert.equal(isSpecialAddress(`2002:${hex.slice(0, 4)}:${hex.slice(4)}::1`), true);
  }));
});

Deno.test("isSpecialAddress() holds for what the URL parser makes of numeric host names", () => {
  for (const host of ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "0", "127.0.0.1."]) {
    assert.equal(isSpecialAddress(new URL(`http://${host}/`).hostname), true);
  }
});

Deno.test("isSpecialAddress() takes any text without throwing, and what is no address counts as special", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    if (addressBytes(text) === undefined) assert.equal(isSpecialAddress(text), true);
  }));
});

Deno.test("isLoopbackAddress() holds for loopback in both families only", () => {
  for (const address of ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"]) {
    assert.equal(isLoopbackAddress(address), true);
  }
  for (const address of ["10.0.0.1", "::2", "::", "localhost"]) {
    assert.equal(isLoopbackAddress(address), false);
  }
});
