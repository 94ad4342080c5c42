import assert from "node:assert/strict";
import fc from "fast-check";
import { CompactEncrypt } from "jose";
import { silentLog } from "../../lib/base/log.ts";
import { jweSealer } from "../../lib/crypto/jwe_sealer.ts";
import { keyRing } from "../../lib/crypto/key_ring.ts";
import { maxSealedLength, type Purpose, type Sealer } from "../../lib/crypto/sealer.ts";
import { fakeClock } from "../fakes/clock.ts";

const oldSecret = "0123456789abcdefghijklmnopqrstuvwxyz-old";
const newSecret = "0123456789abcdefghijklmnopqrstuvwxyz-new";
const audience = "https://mcp.example.com";
const clock = fakeClock();

interface Options {
  secrets?: readonly [string, ...string[]];
  audience?: string;
  onSeal?: (purpose: Purpose) => void;
}

async function sealer(options: Options = {}): Promise<Sealer> {
  const keys = await keyRing(options.secrets ?? [newSecret]);
  return jweSealer({
    keys,
    audience: options.audience ?? audience,
    clock,
    log: silentLog,
    ...(options.onSeal && { onSeal: options.onSeal }),
  });
}

async function reason(of: Sealer, purpose: Purpose, text: string): Promise<string> {
  const opened = await of.open(purpose, text);
  return opened.ok ? "opened" : opened.reason;
}

Deno.test("what is sealed opens with its value and its times", async () => {
  const it = await sealer();
  const now = clock.now();

  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), fc.integer({ min: 1, max: 1e12 }), async (value, ttlMs) => {
      const opened = await it.open("code", await it.seal("code", value, ttlMs));

      const expected = JSON.parse(JSON.stringify(value));
      assert.deepEqual(opened, { ok: true, value: expected, issuedAtMs: now, expiresAtMs: now + ttlMs });
    }),
    { numRuns: 200 },
  );
});

Deno.test("a text without a lifetime never expires", async () => {
  const it = await sealer();

  const text = await it.seal("client", { name: "a" }, undefined);
  const opened = await it.open("client", text);

  assert.equal(opened.ok && opened.expiresAtMs, undefined);
});

Deno.test("any changed character is refused", async () => {
  const it = await sealer();
  const text = await it.seal("access", { sub: "alice", n: 1 }, 1_000);
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n";

  await fc.assert(
    fc.asyncProperty(
      fc.nat(text.length - 1),
      fc.constantFrom(...alphabet),
      async (at, other) => {
        fc.pre(text[at] !== other);
        const changed = text.slice(0, at) + other + text.slice(at + 1);
        assert.notEqual(await reason(it, "access", changed), "opened");
      },
    ),
    { numRuns: 2_000 },
  );
});

Deno.test("any changed bit of the last characters is refused", async () => {
  const it = await sealer();
  for (const value of ["", "a", "ab", "abc"]) {
    const text = await it.seal("access", value, 1_000);
    const dot = text.lastIndexOf(".");
    for (const at of [dot - 1, text.length - 1]) {
      for (const other of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") {
        if (text[at] === other) continue;
        const changed = text.slice(0, at) + other + text.slice(at + 1);
        assert.equal(await reason(it, "access", changed), "malformed");
      }
    }
  }
});

Deno.test("garbage of any kind is malformed and never throws", async () => {
  const it = await sealer();
  await fc.assert(fc.asyncProperty(
    fc.oneof(
      fc.string({ unit: "binary" }),
      fc.base64String(),
      fc.string().map((s) => `${s}..${s}.${s}.${s}`),
    ),
    async (text) => assert.equal(await reason(it, "access", text), "malformed"),
  ));
});

Deno.test("a text of one purpose does not open as another", async () => {
  const it = await sealer();
  const purposes: Purpose[] = [
    "client",
    "client_secret",
    "consent",
    "flow",
    "browser",
    "code",
    "access",
    "refresh",
    "idp_tokens",
    "session",
    "cache",
  ];
  for (const made of purposes) {
    const text = await it.seal(made, 1, 1_000);
    for (const wanted of purposes) {
      assert.equal(await reason(it, wanted, text), made === wanted ? "opened" : "wrong_purpose");
    }
  }
});

Deno.test("a text under the header of another purpose does not open", async () => {
  const it = await sealer();
  const code = await it.seal("code", 1, 1_000);
  const access = await it.seal("access", 1, 1_000);

  const mixed = access.slice(0, access.indexOf(".")) + code.slice(code.indexOf("."));

  assert.equal(await reason(it, "access", mixed), "malformed");
});

Deno.test("a text for another public URL is refused", async () => {
  const text = await (await sealer({ audience: "https://other.example.com" })).seal("access", 1, 1_000);

  assert.equal(await reason(await sealer(), "access", text), "wrong_audience");
});

Deno.test("a text expires at the end of its life and not before", async () => {
  const it = await sealer();
  const text = await it.seal("code", 1, 60_000);

  await clock.advance(59_999);
  assert.equal(await reason(it, "code", text), "opened");
  await clock.advance(1);
  assert.equal(await reason(it, "code", text), "expired");
});

Deno.test("a text of an unknown key is refused as such", async () => {
  const text = await (await sealer({ secrets: [oldSecret] })).seal("access", 1, 1_000);

  assert.equal(await reason(await sealer(), "access", text), "unknown_key");
});

Deno.test("a previous key opens and never seals", async () => {
  const before = await sealer({ secrets: [oldSecret] });
  const rotating = await sealer({ secrets: [newSecret, oldSecret] });

  assert.equal(await reason(rotating, "access", await before.seal("access", 1, 1_000)), "opened");
  assert.equal(await reason(before, "access", await rotating.seal("access", 1, 1_000)), "unknown_key");
});

Deno.test("a header with more or other than what we write is not obeyed, whoever holds the key", async () => {
  const it = await sealer();
  const keys = await keyRing([newSecret]);
  const key = await keys.key(keys.kids[0], "access");
  const content = new TextEncoder().encode(JSON.stringify({ aud: audience, iat: 0, val: 1 }));
  const ours = { alg: "dir", enc: "A256GCM", kid: keys.kids[0], typ: "access" };
  const seal = (header: typeof ours & Record<string, unknown>) =>
    new CompactEncrypt(content).setProtectedHeader(header).encrypt(key);

  assert.equal(await reason(it, "access", await seal(ours)), "opened");
  assert.equal(await reason(it, "access", await seal({ ...ours, zip: "DEF" }).catch(() => "")), "malformed");
  assert.equal(await reason(it, "access", await seal({ ...ours, jku: "https://evil.example" })), "malformed");
  assert.equal(await reason(it, "access", await seal({ ...ours, cty: "JWT" })), "malformed");
});

Deno.test("a foreign algorithm in the header is refused", async () => {
  const it = await sealer();
  const text = await it.seal("access", 1, 1_000);
  const rest = text.slice(text.indexOf("."));
  const [kid] = (await keyRing([newSecret])).kids;
  for (
    const header of [
      { alg: "none", enc: "A256GCM", kid, typ: "access" },
      { alg: "dir", enc: "A128GCM", kid, typ: "access" },
      { alg: "PBES2-HS256+A128KW", enc: "A256GCM", kid, typ: "access", p2c: 1e9, p2s: "AA" },
      { alg: "dir", enc: "A256GCM", kid, typ: "access", crit: ["x"], x: 1 },
      { typ: "access", alg: "dir", enc: "A256GCM", kid },
    ]
  ) {
    const encoded = new TextEncoder().encode(JSON.stringify(header)).toBase64({
      alphabet: "base64url",
      omitPadding: true,
    });
    assert.equal(await reason(it, "access", encoded + rest), "malformed");
  }
});

Deno.test("a value that would give too long a text cannot be sealed, and too long a text is not opened", async () => {
  const it = await sealer();
  const longest = "x".repeat(12_100);

  const text = await it.seal("flow", longest, 1_000);
  assert.ok(text.length <= maxSealedLength);
  assert.equal(await reason(it, "flow", text), "opened");
  for (const length of [12_300, 13_000, 100_000]) {
    await assert.rejects(it.seal("flow", "x".repeat(length), 1_000), RangeError);
  }
  const keys = await keyRing([newSecret]);
  const content = { aud: audience, iat: 0, val: "x".repeat(13_000) };
  const tooLong = await new CompactEncrypt(new TextEncoder().encode(JSON.stringify(content)))
    .setProtectedHeader({ alg: "dir", enc: "A256GCM", kid: keys.kids[0], typ: "flow" })
    .encrypt(await keys.key(keys.kids[0], "flow"));
  assert.equal(await reason(it, "flow", tooLong), "malformed");
});

Deno.test("every seal is counted with its purpose", async () => {
  const counted: Purpose[] = [];
  const it = await sealer({ onSeal: (purpose) => counted.push(purpose) });

  await it.seal("code", 1, 1_000);
  await it.seal("access", 1, 1_000);
  await it.open("access", "nothing");

  assert.deepEqual(counted, ["code", "access"]);
});
