import assert from "node:assert/strict";
import fc from "fast-check";
import { mayUse, parseToolRules } from "../../../lib/http/tool_rules/rules.ts";
import { caller } from "../support.ts";

const ops = caller("olga", { groups: ["ops"], scopes: ["mcp"] });
const other = caller("otto", { groups: ["Ops", "ops2"], scopes: ["admin"] });

Deno.test("the first rule that is about the tool and the caller decides", () => {
  const rules = parseToolRules(
    "deny drop_* ; allow read_*, search to everyone; allow * to group:ops, scope:admin",
  );

  assert.equal(mayUse(rules, ops, "drop_table"), false);
  assert.equal(mayUse(rules, ops, "write"), true);
  assert.equal(mayUse(rules, other, "write"), true);
  assert.equal(mayUse(rules, caller("eve"), "write"), false);
  assert.equal(mayUse(rules, caller("eve"), "read_file"), true);
  assert.equal(mayUse(rules, caller("eve"), "search"), true);
  assert.equal(mayUse(rules, caller("eve"), "search2"), false);
});

Deno.test("where no rule decides, the answer is no", () => {
  assert.equal(mayUse(parseToolRules("deny a"), ops, "b"), false);
  assert.equal(mayUse(parseToolRules("allow a to group:nobody"), ops, "a"), false);
});

Deno.test("groups, scopes and subjects are compared exactly, and quotes keep what is special", () => {
  assert.equal(mayUse(parseToolRules("allow * to group:ops"), other, "a"), false);
  assert.equal(mayUse(parseToolRules("allow * to subject:olga"), ops, "a"), true);
  const quoted = parseToolRules('allow "a to b", c to group:"Ops, Team; to all"\nallow d to subject:"x y"');
  const member = caller("x y", { groups: ["Ops, Team; to all"] });
  assert.equal(mayUse(quoted, member, "a to b"), true);
  assert.equal(mayUse(quoted, member, "c"), true);
  assert.equal(mayUse(quoted, member, "d"), true);
  assert.equal(mayUse(quoted, caller("z"), "d"), false);
});

Deno.test("only the star is special in a tool's name", () => {
  fc.assert(fc.property(fc.stringMatching(/^[a-z.+?()[\]{}|^$\\/-]{1,12}$/), fc.string(), (name, tool) => {
    const rules = parseToolRules(`allow "${name}"`);
    assert.equal(mayUse(rules, ops, tool), tool === name);
    assert.equal(mayUse(rules, ops, name), true);
  }));
  assert.equal(mayUse(parseToolRules("allow a*c"), ops, "ab\nc"), true);
  assert.equal(mayUse(parseToolRules("allow a*c"), ops, "ab"), false);
});

Deno.test("rules that say nothing clear are refused", () => {
  for (
    const bad of [
      "",
      " ; ",
      "permit a",
      "allow",
      "allow a to",
      "allow a to x:y",
      "allow a to group:",
      "allow a, to everyone",
      "allow a to everyone to group:x",
    ]
  ) {
    assert.throws(() => parseToolRules(bad), Error, bad);
  }
});
