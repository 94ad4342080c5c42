import assert from "node:assert/strict";
import { load } from "./support.ts";
import { seedCommands } from "./seed_commands.ts";

for (const { from, argv, env, mode, dialect } of seedCommands) {
  Deno.test(`starts unchanged: ${from}`, () => {
    const config = load(argv, { env });

    assert.ok(!Array.isArray(config), Deno.inspect(config));
    assert.equal(config.mode, mode);
    assert.equal(config.mode === "http" ? config.dialect : undefined, dialect);
  });
}
