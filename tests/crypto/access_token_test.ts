import assert from "node:assert/strict";
import fc from "fast-check";
import { SignJWT } from "jose";
import { TokenRefused, type TokenRules } from "../../lib/crypto/access_token.ts";
import {
  audience,
  forged,
  issuer,
  jwksUri,
  type SigningKey,
  signingKey,
  type TokenIssuer,
  tokenIssuer,
} from "./token_issuer.ts";

const rsa = await signingKey("RS256", "rsa-1");
const ec = await signingKey("ES256", "ec-1");
const stranger = await signingKey("RS256", "rsa-1");
const rules: TokenRules = { kind: "access", issuers: [issuer], audiences: [audience] };
const idRules: TokenRules = { kind: "id", issuers: [issuer], audiences: ["client-1"], nonce: "n-1" };

/** Why the token is refused; `accepted` when it is not. */
async function outcome(it: TokenIssuer, token: string, of: TokenRules = rules): Promise<string> {
  try {
    await it.verify(token, of);
    return "accepted";
  } catch (error) {
    if (error instanceof TokenRefused) return error.reason;
    throw error;
  }
}

/** An issuer whose keys have been fetched, so that any further fetch is one too many. */
async function warm(keys: readonly SigningKey[] = [rsa, ec]): Promise<TokenIssuer> {
  const it = tokenIssuer(keys);
  await it.keys.ready();
  return it;
}

Deno.test("a good token gives its claims", async () => {
  const it = tokenIssuer([rsa, ec]);

  const claims = await it.verify(await it.token({ scope: "read", n: 1 }), rules);

  assert.equal(claims.sub, "alice");
  assert.equal(claims.n, 1);
  assert.equal(it.fetched.length, 1);
});

for (const alg of ["RS384", "PS256", "PS512", "ES256", "ES384", "ES512", "EdDSA"]) {
  Deno.test(`a token signed with ${alg} is accepted`, async () => {
    const key = await signingKey(alg, "k");
    const it = tokenIssuer([key]);

    assert.equal(await outcome(it, await it.token()), "accepted");
  });
}

Deno.test("a token without a key id is tried with the keys that fit", async () => {
  const [one, two] = [await signingKey("RS256"), await signingKey("RS256")];
  const it = tokenIssuer([one, two]);

  assert.equal(await outcome(it, await it.token({}, {}, two)), "accepted");
  const { privateKey } = stranger;
  assert.equal(await outcome(it, await it.token({}, {}, { privateKey, jwk: { alg: "RS256" } })), "signature");
});

Deno.test("of many keys that fit only the first eight are tried", async () => {
  const keys = await Promise.all(Array.from({ length: 9 }, () => signingKey("ES256")));
  const it = tokenIssuer(keys);

  assert.equal(await outcome(it, await it.token({}, {}, keys[7])), "accepted");
  assert.equal(await outcome(it, await it.token({}, {}, keys[8])), "signature");
});

Deno.test("a key for encryption does not verify", async () => {
  const it = tokenIssuer([{ ...rsa, jwk: { ...rsa.jwk, use: "enc" } }]);

  assert.equal(await outcome(it, await it.token()), "unknown_key");
});

Deno.test("no algorithm with a shared secret or without a key is accepted, and nothing is fetched", async () => {
  const it = tokenIssuer([rsa]);
  const claims = { iss: issuer, aud: audience, sub: "alice", exp: 4e9 };
  const publicKey = new TextEncoder().encode(JSON.stringify(rsa.jwk));
  const confused = await new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid: "rsa-1" }).sign(
    publicKey,
  );

  assert.equal(await outcome(it, confused), "algorithm");
  for (
    const alg of ["none", "None", "NONE", "nOnE", "HS256", "HS512", "dir", "", "RS1", null, 1, ["RS256"]]
  ) {
    assert.equal(await outcome(it, forged({ alg, kid: "rsa-1" }, claims)), "algorithm");
  }
  assert.equal(await outcome(it, `${forged({ alg: "none" }, claims, "")}`), "malformed");
  assert.deepEqual(it.fetched, []);
});

Deno.test("keys and addresses in a header are not obeyed, and nothing is fetched for them", async () => {
  const it = await warm();
  for (
    const header of [
      { jwk: stranger.jwk },
      { jku: "https://evil.example/keys" },
      { x5u: "https://evil.example/cert" },
      { x5c: ["AAAA"] },
    ]
  ) {
    const token = await it.token({}, { ...header }, stranger);
    assert.equal(await outcome(it, token), "signature");
  }
  assert.equal(it.fetched.length, 1);
});

Deno.test("a key id is only ever looked up among the issuer's own keys", async () => {
  const it = await warm();
  for (const kid of ["https://evil.example/keys", "../../etc/passwd", "", 1, null, ["rsa-1"]]) {
    const refusal = await outcome(it, await it.token({}, { kid }, stranger).catch(() => "x"));
    assert.ok(["unknown_key", "malformed", "signature"].includes(refusal), refusal);
  }
  assert.deepEqual(new Set(it.fetched), new Set([jwksUri]));
  assert.ok(it.fetched.length <= 2);
});

Deno.test("a signature by a stranger's key under a known id is refused", async () => {
  const it = await warm();

  assert.equal(await outcome(it, await it.token({}, {}, stranger)), "signature");
});

Deno.test("a token of one algorithm under a key of another is refused", async () => {
  const it = await warm();

  assert.equal(await outcome(it, await it.token({}, { kid: "ec-1" }, rsa)), "unknown_key");
});

Deno.test("a critical header and an unencoded payload are refused", async () => {
  const it = await warm();
  const claims = { iss: issuer, aud: audience, exp: 4e9 };

  assert.equal(
    await outcome(it, forged({ alg: "RS256", kid: "rsa-1", crit: ["x"], x: 1 }, claims)),
    "malformed",
  );
  assert.equal(await outcome(it, forged({ alg: "RS256", kid: "rsa-1", b64: false }, claims)), "malformed");
});

Deno.test("a token of another issuer is refused before anything is fetched", async () => {
  const it = tokenIssuer([rsa]);
  for (
    const iss of [
      undefined,
      "",
      "https://evil.example",
      `${issuer}/../two`,
      `${issuer}//`,
      issuer.toUpperCase(),
      1,
    ]
  ) {
    assert.equal(await outcome(it, await it.token({ iss } as { iss?: string })), "issuer");
  }
  assert.deepEqual(it.fetched, []);
});

Deno.test("an issuer is the same with and without one trailing slash, on either side", async () => {
  const it = await warm();
  const slashed: TokenRules = { ...rules, issuers: [`${issuer}/`] };

  assert.equal(await outcome(it, await it.token({ iss: `${issuer}/` })), "accepted");
  assert.equal(await outcome(it, await it.token(), slashed), "accepted");
});

Deno.test("a token for somebody else, or for nobody, is refused", async () => {
  const it = await warm();
  const others = [
    undefined,
    "",
    [],
    "https://other.example/mcp",
    `${audience}/`,
    `${audience}/admin`,
    [`${audience}x`],
    { [audience]: 1 },
    [[audience]],
  ];
  for (const aud of others) {
    assert.equal(await outcome(it, await it.token({ aud } as { aud?: string })), "audience");
  }
  assert.equal(await outcome(it, await it.token({ aud: ["account", audience] })), "accepted");
});

Deno.test("client_id stands for the audience only where that is asked for and there is no aud", async () => {
  const it = await warm();
  const cognito: TokenRules = { ...rules, audiences: ["app-1"], clientIdIsAudience: true };
  const token = await it.token(
    { aud: undefined, client_id: "app-1", token_use: "access" } as Record<string, unknown>,
  );
  const withAudience = await it.token({ aud: "other", client_id: "app-1" });

  assert.equal(await outcome(it, token, cognito), "accepted");
  assert.equal(await outcome(it, token, { ...cognito, clientIdIsAudience: false }), "audience");
  assert.equal(await outcome(it, withAudience, cognito), "audience");
  const odd = await it.token({ aud: 1, client_id: "app-1" } as Record<string, unknown>);
  assert.equal(await outcome(it, odd, cognito), "audience");
});

Deno.test("times are kept to within a minute", async () => {
  const it = await warm();
  const now = Math.floor(it.clock.now() / 1_000);

  assert.equal(await outcome(it, await it.token({ exp: now - 59 })), "accepted");
  assert.equal(await outcome(it, await it.token({ exp: now - 61 })), "expired");
  assert.equal(await outcome(it, await it.token({ nbf: now + 59 })), "accepted");
  assert.equal(await outcome(it, await it.token({ nbf: now + 61 })), "not_yet_valid");
});

Deno.test("a token without an expiry, or with one that is no number, is refused", async () => {
  const it = await warm();
  for (const exp of [undefined, null, "4000000000", {}, []]) {
    assert.equal(await outcome(it, await it.token({ exp } as { exp?: number })), "claims");
  }
});

Deno.test("tokens that are not access tokens are refused", async () => {
  const it = await warm();
  const refused: Record<string, unknown>[] = [
    { at_hash: "x", aud: [audience] },
    { c_hash: "x" },
    { nonce: "n-1" },
    { typ: "ID" },
    { typ: "Refresh" },
    { typ: "Offline" },
    { typ: "Logout" },
    { token_use: "id" },
    { events: {} },
  ];
  for (const claims of refused) assert.equal(await outcome(it, await it.token(claims)), "token_type");
  for (const typ of ["logout+jwt", "secevent+jwt", "dpop+jwt", "oauth-id-jag+jwt", "x"]) {
    assert.equal(await outcome(it, await it.token({}, { typ })), "token_type");
  }
});

Deno.test("what real access tokens carry is accepted", async () => {
  const it = await warm();
  for (const typ of ["JWT", "jwt", "at+jwt", "application/at+jwt"]) {
    assert.equal(await outcome(it, await it.token({}, { typ })), "accepted");
  }
  for (
    const claims of [{ typ: "Bearer" }, { nonce: "n", scope: "read" }, { nonce: "n", scp: "read" }, {
      token_use: "access",
    }]
  ) {
    assert.equal(await outcome(it, await it.token(claims)), "accepted");
  }
});

Deno.test("garbage of any kind is refused and nothing is fetched", async () => {
  const it = tokenIssuer([rsa]);
  await fc.assert(fc.asyncProperty(
    fc.oneof(
      fc.string({ unit: "binary" }),
      fc.json().map((json) => forged(json, json)),
      fc.jsonValue().map((v) => forged(v, v)),
    ),
    async (text) => assert.notEqual(await outcome(it, text), "accepted"),
  ));
  assert.equal(await outcome(it, await it.token({ more: "x".repeat(33_000) })), "malformed");
  assert.deepEqual(it.fetched, []);
});

Deno.test("any changed character of the claims or the signature is refused", async () => {
  const it = await warm();
  const token = await it.token();
  const from = token.indexOf(".") + 1;

  await fc.assert(fc.asyncProperty(fc.integer({ min: from, max: token.length - 3 }), async (at) => {
    fc.pre(token[at] !== ".");
    const changed = token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
    assert.notEqual(await outcome(it, changed), "accepted");
  }));
});

Deno.test("a weak key of the issuer refuses the token and throws nothing else", async () => {
  const it = tokenIssuer([{ ...rsa, jwk: { ...rsa.jwk, n: "AQAB" } }]);

  assert.equal(await outcome(it, await it.token()), "signature");
});

Deno.test("an id_token is accepted for its client, its nonce and its time only", async () => {
  const it = await warm();
  const good = { aud: "client-1", nonce: "n-1", at_hash: "x" };

  assert.equal(await outcome(it, await it.token(good), idRules), "accepted");
  assert.equal(await outcome(it, await it.token({ ...good, typ: "ID" }), idRules), "accepted");
  assert.equal(await outcome(it, await it.token({ ...good, aud: "client-2" }), idRules), "audience");
  assert.equal(await outcome(it, await it.token({ ...good, nonce: "n-2" }), idRules), "nonce");
  assert.equal(await outcome(it, await it.token({ aud: "client-1" }), idRules), "nonce");
  assert.equal(await outcome(it, await it.token(good, { typ: "at+jwt" }), idRules), "token_type");
  assert.equal(
    await outcome(it, await it.token({ ...good, sub: undefined } as Record<string, unknown>), idRules),
    "claims",
  );
  assert.equal(await outcome(it, await it.token({ ...good, exp: 1 }), idRules), "expired");
  assert.equal(await outcome(it, await it.token({ ...good, azp: "client-2" }), idRules), "authorized_party");
  assert.equal(
    await outcome(it, await it.token({ ...good, aud: ["client-1", "x"] }), idRules),
    "authorized_party",
  );
  assert.equal(
    await outcome(it, await it.token({ ...good, aud: ["client-1", "x"], azp: "client-1" }), idRules),
    "accepted",
  );
});

Deno.test("a narrower list of algorithms is kept to", async () => {
  const it = await warm();

  assert.equal(
    await outcome(it, await it.token({}, {}, ec), { ...rules, algorithms: ["RS256"] }),
    "algorithm",
  );
  assert.equal(
    await outcome(it, await it.token(), { ...rules, algorithms: ["RS256", "none", "HS256"] }),
    "accepted",
  );
  assert.equal(
    await outcome(it, forged({ alg: "none" }, {}), { ...rules, algorithms: ["none"] }),
    "algorithm",
  );
});
