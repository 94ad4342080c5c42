import assert from "node:assert/strict";
import { version } from "../../lib/base/version.ts";

Deno.test("a run from source calls itself by the version in deno.json", async () => {
  const config = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));

  assert.equal(version, config.version);
});
