import assert from "node:assert/strict";
import { checkFamilies } from "../../lib/commands/doctor/families.ts";
import { Report } from "../../lib/commands/doctor/report.ts";
import { serveTls, tlsFiles } from "../support/tls.ts";

const config = { caFiles: [tlsFiles.ca], noProxy: [] };

Deno.test("checkFamilies() names the family over which a host does not answer", async () => {
  await using server = serveTls(() => new Response("x"));
  const report = new Report();
  const resolve = (_name: string, type: "A" | "AAAA") =>
    Promise.resolve(type === "A" ? ["127.0.0.1"] : ["::1"]);

  await checkFamilies(report, new URL(`https://a.doorman.test:${server.port}/mcp`), config, resolve);

  assert.deepEqual(report.findings.map(({ level, check }) => [level, check]), [["ok", "addresses"], [
    "fail",
    "addresses",
  ]]);
  assert.match(report.findings[1]?.message ?? "", /does not answer over IPv6 at ::1/);
  assert.match(report.findings[1]?.hint ?? "", /AAAA/);
});

Deno.test("checkFamilies() finds nothing wrong with a host that has one family only, and passes over addresses", async () => {
  await using server = serveTls(() => new Response("x"));
  const report = new Report();
  const resolve = (_name: string, type: "A" | "AAAA") => Promise.resolve(type === "A" ? ["127.0.0.1"] : []);

  await checkFamilies(report, new URL(`https://a.doorman.test:${server.port}/mcp`), config, resolve);
  await checkFamilies(
    report,
    new URL(`https://127.0.0.1:${server.port}/mcp`),
    config,
    () => assert.fail("resolved"),
  );

  assert.equal(report.ok, true);
  assert.equal(report.findings.length, 2);
});
