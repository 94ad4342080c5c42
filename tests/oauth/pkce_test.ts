import assert from "node:assert/strict";
import {
  codeChallenge,
  isCodeChallenge,
  isCodeVerifier,
  matchesChallenge,
  pkcePair,
  randomState,
} from "../../lib/oauth/pkce.ts";

Deno.test("codeChallenge() gives the value of RFC 7636 appendix B", async () => {
  assert.equal(
    await codeChallenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
    "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
  );
});

Deno.test("pkcePair() makes verifiers that are valid, match their own challenge and no other", async () => {
  const [one, two] = [await pkcePair(), await pkcePair()];

  assert.ok(isCodeVerifier(one.verifier) && isCodeChallenge(one.challenge));
  assert.equal(await matchesChallenge(one.verifier, one.challenge), true);
  assert.equal(await matchesChallenge(one.verifier, two.challenge), false);
  assert.equal(await matchesChallenge(one.verifier, one.verifier), false);
  assert.equal(await matchesChallenge("", await codeChallenge("")), false);
});

Deno.test("isCodeVerifier() wants 43 to 128 unreserved characters", () => {
  assert.equal(isCodeVerifier("a".repeat(42)), false);
  assert.equal(isCodeVerifier("a".repeat(43)), true);
  assert.equal(isCodeVerifier("-._~".repeat(32)), true);
  assert.equal(isCodeVerifier("a".repeat(129)), false);
  assert.equal(isCodeVerifier("a".repeat(43) + "\n"), false);
  assert.equal(isCodeVerifier("a".repeat(43) + "+"), false);
});

Deno.test("randomState() has 256 bits and does not repeat", () => {
  const states = new Set(Array.from({ length: 100 }, randomState));
  assert.equal(states.size, 100);
  for (const state of states) assert.match(state, /^[\w-]{43}$/);
});
