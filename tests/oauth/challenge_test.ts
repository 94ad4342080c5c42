import assert from "node:assert/strict";
import fc from "fast-check";
import { bearerChallenge, findBearerChallenge, parseChallenges } from "../../lib/oauth/challenge.ts";

Deno.test("bearerChallenge() and findBearerChallenge() work circularly", () => {
  const names = fc.constantFrom("realm", "error", "error_description", "scope", "resource_metadata");
  const values = fc.string({ unit: fc.constantFrom(...'abc \\",=;:/?xyz~'.split("")), maxLength: 40 });
  fc.assert(fc.property(fc.dictionary(names, values, { minKeys: 1 }), (params) => {
    assert.deepEqual({ ...findBearerChallenge(bearerChallenge(params))?.params }, { ...params });
  }));
});

Deno.test("bearerChallenge() leaves out what is undefined and what cannot stand in a header", () => {
  assert.equal(
    bearerChallenge({ error: undefined, error_description: 'a"b\\c\r\nSet-Cookie: x\u00e9', scope: "a b" }),
    'Bearer error_description="a\\"b\\\\cSet-Cookie: x", scope="a b"',
  );
  assert.equal(bearerChallenge({}), "Bearer");
});

Deno.test("parseChallenges() reads several challenges, bare values, odd spacing and cases", () => {
  const found = parseChallenges(
    'Negotiate YII=, Basic realm="a, b" , bearer Resource_Metadata = "https://a/x" ,error=invalid_token, scope="a \\"b\\""',
  );

  assert.deepEqual(found.map(({ scheme }) => scheme), ["negotiate", "basic", "bearer"]);
  assert.deepEqual({ ...found[1]?.params }, { realm: "a, b" });
  assert.deepEqual({ ...found[2]?.params }, {
    resource_metadata: "https://a/x",
    error: "invalid_token",
    scope: 'a "b"',
  });
});

Deno.test("parseChallenges() lets the first of a repeated parameter count", () => {
  assert.equal(findBearerChallenge('Bearer error="a", error="b"')?.params.error, "a");
});

Deno.test("parseChallenges() gives no inherited members and takes __proto__ as a name like any other", () => {
  const params = findBearerChallenge('Bearer __proto__="x", a="b"')?.params;
  assert.equal(params?.a, "b");
  assert.equal(params?.toString, undefined);
});

Deno.test("parseChallenges() ends on any header and never throws", () => {
  fc.assert(fc.property(fc.string(), (text) => void parseChallenges(text)));
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'B =,"\\a\t') }), (text) => void parseChallenges(text)),
  );
});

Deno.test("findBearerChallenge() finds nothing where there is none", () => {
  assert.equal(findBearerChallenge(null), undefined);
  assert.equal(findBearerChallenge('Basic realm="Bearer x=1"'), undefined);
});
