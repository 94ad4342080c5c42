import assert from "node:assert/strict";
import fc from "fast-check";
import { cidrList, host, listenAddress, listenAddressOrOff, originList } from "../../lib/base/net_kinds.ts";

Deno.test("listenAddress takes Go's forms", () => {
  assert.deepEqual(listenAddress.parse(":8080"), { hostname: "0.0.0.0", port: 8080 });
  assert.deepEqual(listenAddress.parse("127.0.0.1:0"), { hostname: "127.0.0.1", port: 0 });
  assert.deepEqual(listenAddress.parse("[::1]:8080"), { hostname: "::1", port: 8080 });
  assert.deepEqual(listenAddress.parse("localhost:80"), { hostname: "localhost", port: 80 });
  for (const bad of ["8080", "localhost", ":65536", "::1:8080", "[::1]", "http://x:1", "a b:1", "[zz]:1"]) {
    assert.throws(() => listenAddress.parse(bad), /an address such as/, bad);
  }
  assert.equal(listenAddressOrOff.parse("off"), "off");
  assert.deepEqual(listenAddressOrOff.parse("127.0.0.1:9090"), { hostname: "127.0.0.1", port: 9090 });
  assert.throws(() => listenAddressOrOff.parse("on"), /or off/);
});

Deno.test("listenAddress gives back every IPv4 address and port", () => {
  fc.assert(fc.property(fc.ipV4(), fc.integer({ min: 0, max: 65_535 }), (hostname, port) => {
    assert.deepEqual(listenAddress.parse(`${hostname}:${port}`), { hostname, port });
  }));
  fc.assert(fc.property(fc.ipV6(), fc.integer({ min: 0, max: 65_535 }), (hostname, port) => {
    assert.deepEqual(listenAddress.parse(`[${hostname}]:${port}`), { hostname, port });
  }));
});

Deno.test("host takes names and addresses, with or without brackets", () => {
  assert.equal(host.parse("[::1]"), "::1");
  assert.equal(host.parse("0.0.0.0"), "0.0.0.0");
  for (const bad of ["a b", "http://x", "a/b", ""]) assert.throws(() => host.parse(bad), Error, bad);
});

Deno.test("cidrList wants a mask on every entry", () => {
  assert.deepEqual(cidrList.parse("10.0.0.0/8, fd00::/8,"), ["10.0.0.0/8", "fd00::/8"]);
  for (
    const bad of [
      "10.0.0.1",
      "10.0.0.0/33",
      "fd00::/129",
      "x/8",
      "10.0.0/8",
      "10.0.0.0/8;::/0",
      "999.0.0.1/8",
    ]
  ) {
    assert.throws(() => cidrList.parse(bad), /networks such as/, bad);
  }
  fc.assert(fc.property(fc.ipV4(), fc.integer({ min: 0, max: 32 }), (address, bits) => {
    assert.deepEqual(cidrList.parse(`${address}/${bits}`), [`${address}/${bits}`]);
  }));
});

Deno.test("originList takes bare origins and the star", () => {
  assert.deepEqual(originList.parse("https://Claude.ai/, *,http://localhost:6274"), [
    "https://claude.ai",
    "*",
    "http://localhost:6274",
  ]);
  for (
    const bad of ["claude.ai", "https://a/b", "https://*.a", "https://a?x", "https://u@a", "https://a#b"]
  ) {
    assert.throws(() => originList.parse(bad), /origins such as/, bad);
  }
});
