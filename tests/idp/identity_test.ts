import assert from "node:assert/strict";
import fc from "fast-check";
import { IdpError } from "../../lib/idp/idp.ts";
import { identityOf } from "../../lib/idp/identity.ts";
import { claimAt } from "../../lib/oauth/claims.ts";

const of = (claims: Record<string, unknown>, groupsClaim = "groups") =>
  identityOf({ sub: "u", ...claims }, groupsClaim);

Deno.test("identityOf() finds groups by name, by path, and by a name that has dots", () => {
  assert.deepEqual(of({ groups: ["a", "b"] }).groups, ["a", "b"]);
  assert.deepEqual(of({ realm_access: { roles: ["r"] } }, "realm_access.roles").groups, ["r"]);
  assert.deepEqual(of({ "https://x.example/groups": ["g"] }, "https://x.example/groups").groups, ["g"]);
  assert.deepEqual(of({ "cognito:groups": ["c"] }, "cognito:groups").groups, ["c"]);
  assert.deepEqual(of({ groups: "single" }).groups, ["single"]);
  assert.deepEqual(of({ groups: ["", "a", ""] }).groups, ["a"]);
  assert.equal(of({}).groupsMalformed, undefined);
});

for (const groups of [[1], [["a"]], { a: 1 }, 7, true, [{ name: "a" }, "b"]]) {
  Deno.test(`identityOf() takes groups ${JSON.stringify(groups)} as none, and says so`, () => {
    assert.deepEqual(of({ groups }).groups, []);
    assert.equal(of({ groups }).groupsMalformed, true);
  });
}

Deno.test("identityOf() notices that Entra left the groups out", () => {
  assert.equal(of({ _claim_names: { groups: "src1" } }).groupsMalformed, true);
  assert.equal(of({ hasgroups: true }).groupsMalformed, true);
});

const verified: [unknown, boolean | undefined][] = [
  [true, true],
  ["true", true],
  ["True", true],
  [false, false],
  ["false", false],
  ["yes", false],
  [1, false],
  ["", false],
  [{}, false],
  [null, undefined],
  [undefined, undefined],
];
for (const [given, expected] of verified) {
  Deno.test(`identityOf() takes email_verified ${JSON.stringify(given)} as ${expected}`, () => {
    assert.equal(of({ email: "a@b.c", email_verified: given }).emailVerified, expected);
  });
}

Deno.test("identityOf() wants a subject and nothing else", () => {
  for (const sub of [undefined, null, "", {}, []]) {
    assert.throws(
      () => identityOf({ sub }, "groups"),
      (error) => error instanceof IdpError && error.reason === "subject_missing",
    );
  }
  assert.equal(identityOf({ sub: 42 }, "groups").subject, "42");
  assert.deepEqual(of({ email: 7, name: null, preferred_username: "joe" }), {
    subject: "u",
    name: "joe",
    groups: [],
    claims: { sub: "u", email: 7, name: null, preferred_username: "joe" },
  });
});

Deno.test("claimAt() finds nothing that is inherited", () => {
  for (const path of ["constructor", "__proto__", "toString", "a.constructor.name", "list.length.x"]) {
    assert.equal(claimAt({ a: {}, list: [] }, path), undefined, path);
  }
});

Deno.test("identityOf() gives strings only, whatever the claims", () => {
  fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), (claims, path) => {
    const identity = identityOf({ ...claims, sub: "u" }, path);
    assert.ok(identity.groups.every((group) => typeof group === "string" && group !== ""));
    assert.ok(identity.email === undefined || typeof identity.email === "string");
  }));
});
