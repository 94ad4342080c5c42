import assert from "node:assert/strict";
import { type Graph, type Lock, reached, sbom } from "../../scripts/release/sbom.ts";

const one = (name: string, version: string, ...dependencies: string[]) => ({
  name,
  version,
  dependencies,
  registryUrl: "https://r.example/",
  localPath: "",
});

const graph: Graph = {
  modules: [{ kind: "esm" }, { kind: "npm", npmPackage: "@a/x@1.0.0" }],
  npmPackages: {
    "@a/x@1.0.0": one("@a/x", "1.0.0", "y@2.0.0"),
    "y@2.0.0": one("y", "2.0.0", "@a/x@1.0.0"),
    "only-in-tests@3.0.0": one("only-in-tests", "3.0.0"),
  },
};
const lock: Lock = { npm: { "@a/x@1.0.0": { integrity: "sha512-AAH/" }, "y@2.0.0": {} } };
const stamp = { version: "7.8.9", commit: "abc", date: "2030-01-02T03:04:05.000Z", builder: "b" };

Deno.test("what main.ts reaches is in the list of parts, and what only tests use is not", () => {
  assert.deepEqual(reached(graph), ["@a/x@1.0.0", "y@2.0.0"]);
});

Deno.test("each part has its version, where it came from, its licence and its checksum", () => {
  const document = sbom(graph, lock, stamp, { deno: "2.9.6", licenseOf: () => "ISC" });

  const packages = document.packages as Record<string, unknown>[];
  assert.deepEqual(packages.map(({ name, versionInfo }) => [name, versionInfo]), [
    ["mcp-doorman", "7.8.9"],
    ["deno", "2.9.6"],
    ["@a/x", "1.0.0"],
    ["y", "2.0.0"],
  ]);
  const [, , scoped] = packages;
  assert.equal(scoped?.downloadLocation, "https://r.example/@a/x/-/x-1.0.0.tgz");
  assert.equal(scoped?.licenseDeclared, "ISC");
  assert.deepEqual(scoped?.checksums, [{ algorithm: "SHA512", checksumValue: "0001ff" }]);
  assert.match(JSON.stringify(scoped?.externalRefs), /pkg:npm\/%40a\/x@1\.0\.0/);
  assert.equal((document.creationInfo as { created: string }).created, "2030-01-02T03:04:05Z");
  const ids = packages.map(({ SPDXID }) => SPDXID);
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids) assert.match(String(id), /^SPDXRef-[A-Za-z0-9.-]+$/);
});
