import assert from "node:assert/strict";
import { version } from "../../lib/base/version.ts";

Deno.test("a run from source calls itself by the version in deno.json", async () => {
  const config = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));

  assert.equal(version, config.version);
});

Deno.test("a build says what it is, who built it, and the Deno that runs it rather than the one that bundled it", async () => {
  const stamped = globalThis as { mcpDoormanBuild?: Record<string, string> };
  stamped.mcpDoormanBuild = {
    version: "7.8.9",
    commit: "abc",
    date: "2030-01-01",
    builder: "github-actions",
  };
  try {
    const { versionLine } = await import(`../../lib/base/version.ts?${crypto.randomUUID()}`);

    const expected =
      `mcp-doorman 7.8.9 (abc, 2030-01-01, built by github-actions, deno ${Deno.version.deno})`;
    assert.equal(versionLine(), `${expected} https://github.com/mcp-doorman/mcp-doorman`);
  } finally {
    delete stamped.mcpDoormanBuild;
  }
});
