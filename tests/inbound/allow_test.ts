import assert from "node:assert/strict";
import { type Candidate, isAllowed, missingRequired } from "../../lib/inbound/allow.ts";
import type { AllowConfig } from "../../lib/inbound/config.ts";

const nobody: AllowConfig = { subjects: [], emails: [], domains: [], groups: [], requiredScopes: [] };
const alice: Candidate = {
  subject: "alice",
  email: "alice@example.com",
  emailVerified: true,
  groups: ["staff"],
};

Deno.test("without any entry everybody is let in whom the IdP lets in", () => {
  assert.equal(isAllowed({ subject: "x", groups: [] }, nobody), true);
});

Deno.test("an entry in any list is enough", () => {
  for (
    const lists of [
      { subjects: ["alice"] },
      { emails: ["Alice@Example.COM"] },
      { domains: ["EXAMPLE.com"] },
      { domains: ["@example.com"] },
      { groups: ["other", "staff"] },
      { subjects: ["bob"], groups: ["staff"] },
    ]
  ) {
    assert.equal(isAllowed(alice, { ...nobody, ...lists }), true);
  }
});

const refused: [string, Partial<AllowConfig>, Partial<Candidate>][] = [
  ["a subject in another case", { subjects: ["Alice"] }, {}],
  ["a group in another case", { groups: ["Staff"] }, {}],
  ["a part of a group", { groups: ["sta"] }, {}],
  ["an empty group and an empty entry", { groups: [""] }, { groups: [""] }],
  ["an unverified address", { emails: ["alice@example.com"] }, { emailVerified: false }],
  ["an unverified address by its domain", { domains: ["example.com"] }, { emailVerified: false }],
  ["a look-alike domain", { domains: ["example.com"] }, { email: "a@evil-example.com" }],
  ["a domain with more before it", { domains: ["example.com"] }, { email: "a@sub.example.com" }],
  ["a domain with more behind it", { domains: ["example.com"] }, { email: "a@example.com.evil.test" }],
  ["a letter that only looks alike", { domains: ["example.com"] }, { email: "a@ex\u0430mple.com" }],
  ["a trailing dot", { domains: ["example.com"] }, { email: "a@example.com." }],
  ["several at signs, ours first", { domains: ["example.com"] }, { email: "a@example.com@evil.test" }],
  ["several at signs, ours last", { domains: ["example.com"] }, { email: "a@evil.test@example.com" }],
  ["nothing before the at sign", { domains: ["example.com"] }, { email: "@example.com" }],
  ["nothing behind the at sign and an empty entry", { domains: [""] }, { email: "a@" }],
  ["no at sign and an empty entry", { domains: [""], emails: [""] }, { email: "a" }],
  ["an empty address and an empty entry", { domains: [""], emails: [""] }, { email: "" }],
  ["an address with a space", { emails: ["alice@example.com"] }, { email: "alice@example.com " }],
];

for (const [name, lists, who] of refused) {
  Deno.test(`isAllowed() keeps out ${name}`, () => {
    assert.equal(isAllowed({ ...alice, ...who }, { ...nobody, ...lists }), false);
  });
}

Deno.test("isAllowed() keeps out somebody without an address where only addresses are listed", () => {
  assert.equal(
    isAllowed({ subject: "x", groups: [] }, { ...nobody, emails: ["a@b.c"], domains: ["b.c"] }),
    false,
  );
});

Deno.test("isAllowed() believes a domain of Google's where the account is hosted there", () => {
  const allow = { ...nobody, domains: ["Example.com", "gmail.com"], domainClaim: "hd" };
  const judged = (email: string, hd?: unknown) =>
    isAllowed({ ...alice, email, claims: hd === undefined ? {} : { hd } }, allow);

  assert.equal(judged("alice@example.com", "example.com"), true);
  assert.equal(judged("alice@branch.example", "EXAMPLE.com"), true);
  assert.equal(judged("alice@example.com", "parent.example"), true);
  assert.equal(judged("alice@gmail.com"), true);
  for (const none of [undefined, "", ["example.com"], true]) {
    assert.equal(judged("former@example.com", none), false, String(none));
  }
  assert.equal(judged("eve@evil.example", "evil.example"), false);
  assert.equal(isAllowed({ ...alice, claims: { hd: "example.com" }, emailVerified: false }, allow), false);
  assert.equal(isAllowed({ subject: "x", groups: [], claims: { hd: "example.com" } }, allow), false);
});

Deno.test("missingRequired() names what is not there, in any order and exactly", () => {
  const allow = { ...nobody, requiredScopes: ["read", "write"] };

  assert.deepEqual(missingRequired(["write", "read", "x"], allow), []);
  assert.deepEqual(missingRequired(["Read", "write:all"], allow), ["read", "write"]);
});
