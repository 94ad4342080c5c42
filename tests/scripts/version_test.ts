import assert from "node:assert/strict";
import { build } from "../../lib/base/version.ts";

Deno.test("a run from source calls itself by the version in deno.json", async () => {
  const { version } = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));

  assert.equal(build.version, version);
});
