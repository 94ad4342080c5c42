import assert from "node:assert/strict";
import fc from "fast-check";
import {
  formatScope,
  missingScopes,
  narrowScopes,
  parseLooseScope,
  parseScope,
  unionScopes,
} from "../../lib/oauth/scope.ts";

const token = fc.string({ unit: fc.constantFrom(..."abcXYZ019:./_-!#".split("")), minLength: 1 });

Deno.test("parseScope() and formatScope() work circularly", () => {
  fc.assert(fc.property(fc.uniqueArray(token), (scopes) => {
    assert.deepEqual(parseScope(formatScope(scopes)), scopes);
  }));
});

Deno.test("parseScope() drops doubles, empty parts and what is no scope token", () => {
  assert.deepEqual(parseScope("  a  b a\tc "), ["a", "b", "c"]);
  assert.deepEqual(parseScope('a "b" c\\d \u00e9'), ["a"]);
  assert.deepEqual(parseScope(undefined), []);
  assert.deepEqual(parseScope(""), []);
});

Deno.test("parseLooseScope() reads commas and lists, and tells silence from emptiness", () => {
  assert.deepEqual(parseLooseScope("repo,user gist"), ["repo", "user", "gist"]);
  assert.deepEqual(parseLooseScope(["a", 1, "b c", "d"]), ["a", "d"]);
  assert.deepEqual(parseLooseScope(""), []);
  assert.equal(parseLooseScope(7), undefined);
  assert.equal(parseLooseScope(undefined), undefined);
});

Deno.test("unionScopes(), missingScopes() and narrowScopes() keep order and case", () => {
  assert.deepEqual(unionScopes(["a", "b"], ["b", "B"], []), ["a", "b", "B"]);
  assert.deepEqual(missingScopes(["a"], ["b", "a", "A", "b"]), ["b", "A"]);
  assert.deepEqual(narrowScopes(["c", "a", "x"], ["a", "b", "c"]), ["c", "a"]);
});
