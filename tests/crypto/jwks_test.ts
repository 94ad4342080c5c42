import assert from "node:assert/strict";
import { TokenRefused } from "../../lib/crypto/access_token.ts";
import { KeysUnavailable } from "../../lib/crypto/jwks.ts";
import { audience, issuer, signingKey, tokenIssuer } from "./token_issuer.ts";

const first = await signingKey("RS256", "first");
const second = await signingKey("RS256", "second");
const rules = { kind: "access", issuers: [issuer], audiences: [audience] } as const;
const unknownKey = (error: unknown) => error instanceof TokenRefused && error.reason === "unknown_key";

/** Waits for something that fetching in the background brings about. */
async function until(claim: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; !await claim(); attempt++) {
    assert.ok(attempt < 100);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const keysOf = (...keys: typeof first[]) => () =>
  Promise.resolve(Response.json({ keys: keys.map((key) => key.jwk) }));

Deno.test("keys are fetched once for all who ask at the same time, and kept", async () => {
  const it = tokenIssuer([first]);
  const token = await it.token();

  await Promise.all(Array.from({ length: 10 }, () => it.verify(token, rules)));
  await it.verify(token, rules);

  assert.equal(it.fetched.length, 1);
});

Deno.test("a rotated key is picked up without a restart, by all who bring it at once", async () => {
  const it = tokenIssuer([first]);
  await it.verify(await it.token(), rules);
  it.answer = keysOf(first, second);
  const token = await it.token({}, {}, second);

  await Promise.all([1, 2, 3].map(() => it.verify(token, rules)));
  assert.equal(it.fetched.length, 2);
});

Deno.test("a key that the issuer took away is not accepted any more", async () => {
  const it = tokenIssuer([first]);
  await it.verify(await it.token(), rules);
  it.answer = keysOf(second);
  await it.clock.advance(11 * 60_000);
  const token = await it.token();

  // The first to come after that time is served by the old ones, and has newer ones fetched.
  await it.verify(token, rules);
  await until(() => it.verify(token, rules).then(() => false, unknownKey));
});

Deno.test("nobody waits for an issuer that hangs while there are keys", async () => {
  const it = tokenIssuer([first]);
  await it.verify(await it.token(), rules);
  it.answer = () => new Promise(() => {});
  await it.clock.advance(60 * 60_000);

  await it.verify(await it.token(), rules);
  await it.verify(await it.token(), rules);
  assert.equal(it.fetched.length, 2);
});

Deno.test("a thousand tokens of unknown keys make one fetch a minute at most", async () => {
  const it = tokenIssuer([first]);
  const token = await it.token({}, {}, second);
  const refused = () => assert.rejects(it.verify(token, rules), unknownKey);

  for (let minute = 0; minute < 3; minute++) {
    await Promise.all(Array.from({ length: 1_000 }, refused));
    await it.clock.advance(59_999);
    await refused();
    await it.clock.advance(1);
  }

  assert.equal(it.fetched.length, 1 + 3);
});

Deno.test("an issuer that is down is a transient failure, and heals by itself", async () => {
  const it = tokenIssuer([first]);
  const up = it.answer;
  const failures = [
    () => Promise.reject(new Error("connection refused")),
    () => Promise.resolve(new Response("busy", { status: 503 })),
    () => Promise.resolve(new Response("not found", { status: 404 })),
    () => Promise.resolve(new Response("<html>")),
    async () => new Response((await up()).body, { status: 503 }),
    () => Promise.resolve(Response.json({ keys: "none" })),
    () => Promise.resolve(Response.json({ keys: [], more: "x".repeat(600_000) })),
  ];
  for (const failure of failures) {
    it.answer = failure;
    await assert.rejects(it.verify(await it.token(), rules), KeysUnavailable);
    await it.clock.advance(3_000);
  }
  it.answer = up;

  await it.verify(await it.token(), rules);
});

Deno.test("while the issuer is down it is not asked for every token", async () => {
  const it = tokenIssuer([first]);
  it.answer = () => Promise.reject(new Error("connection refused"));
  const token = await it.token();

  for (let n = 0; n < 50; n++) await assert.rejects(it.verify(token, rules), KeysUnavailable);

  assert.equal(it.fetched.length, 1);
});

Deno.test("known keys serve on while the issuer is down", async () => {
  const it = tokenIssuer([first]);
  await it.verify(await it.token(), rules);
  it.answer = () => Promise.reject(new Error("connection refused"));
  await it.clock.advance(60 * 60_000);

  await it.verify(await it.token(), rules);
});

Deno.test("a token of an unknown key is not called bad while the issuer cannot be asked", async () => {
  const it = tokenIssuer([first]);
  await it.verify(await it.token(), rules);
  it.answer = () => Promise.resolve(new Response(null, { status: 500 }));
  await it.clock.advance(61_000);

  const token = await it.token({}, {}, second);

  for (let round = 0; round < 3; round++) {
    await assert.rejects(it.verify(token, rules), KeysUnavailable);
    await it.clock.advance(1_500);
  }
  it.answer = keysOf(first, second);
  await it.clock.advance(2_000);
  await it.verify(token, rules);
});
