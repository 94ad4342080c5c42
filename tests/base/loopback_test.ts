import assert from "node:assert/strict";
import { isLoopback } from "../../lib/base/loopback.ts";

Deno.test("isLoopback() knows every spelling of this machine and no look-alike", () => {
  const here = [
    "localhost",
    "LOCALHOST",
    "localhost.",
    "a.localhost",
    "127.0.0.1",
    "127.8.8.8",
    "::1",
    "[::1]",
  ];
  for (const name of [...here, "::ffff:127.0.0.1", "[::ffff:7f00:1]"]) assert.ok(isLoopback(name), name);
  const elsewhere = [
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "128.0.0.1",
    "0.0.0.0",
    "::",
    "notlocalhost",
  ];
  for (const name of elsewhere) assert.ok(!isLoopback(name), name);
});
