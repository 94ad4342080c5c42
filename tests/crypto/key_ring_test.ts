import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { UserError } from "../../lib/base/errors.ts";
import { silentLog } from "../../lib/base/log.ts";
import { keyRing, openKeyRing } from "../../lib/crypto/key_ring.ts";
import { secretWeakness } from "../../lib/crypto/secret_strength.ts";

async function inFolder(test: (keyFile: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(join(folder, "state", "signing.key"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const open = (keyFile: string) =>
  openKeyRing({ previousSecrets: [], keyFile, audience: "https://a.example" }, silentLog);
const refusal = (pattern: RegExp) => (error: unknown) =>
  error instanceof UserError && pattern.test(error.message);

Deno.test("a secret has one id, and ids differ from secret to secret", async () => {
  const ring = await keyRing(["a".repeat(20) + "bcdefghijklmnop", "b".repeat(20) + "bcdefghijklmnop"]);
  const again = await keyRing(["b".repeat(20) + "bcdefghijklmnop"]);

  assert.notEqual(ring.kids[0], ring.kids[1]);
  assert.equal(ring.kids[1], again.kids[0]);
});

Deno.test("a key is derived once and cannot be exported", async () => {
  const ring = await keyRing(["a-secret-of-more-than-thirty-two-bytes"]);

  const key = await ring.key(ring.kids[0], "code");

  assert.equal(await ring.key(ring.kids[0], "code"), key);
  assert.notEqual(await ring.key(ring.kids[0], "access"), key);
  assert.equal(key.extractable, false);
});

Deno.test("what one purpose's key encrypts another's cannot decrypt", async () => {
  const ring = await keyRing(["a-secret-of-more-than-thirty-two-bytes"]);
  const [code, access] = [await ring.key(ring.kids[0], "code"), await ring.key(ring.kids[0], "access")];
  const algorithm = { name: "AES-GCM", iv: new Uint8Array(12) };
  const text = await crypto.subtle.encrypt(algorithm, code, new Uint8Array(4));

  await assert.rejects(crypto.subtle.decrypt(algorithm, access, text));
});

Deno.test("a secret below 32 bytes is refused, wherever it stands", async () => {
  await assert.rejects(keyRing(["short"]), refusal(/signing secret/));
  await assert.rejects(
    keyRing(["a-secret-of-more-than-thirty-two-bytes", "short"]),
    refusal(/previous signing secret/),
  );
});

Deno.test("a key that is made is kept, for its owner only", async () => {
  await inFolder(async (keyFile) => {
    const first = await open(keyFile);
    const second = await open(keyFile);

    assert.deepEqual(first.kids, second.kids);
    if (Deno.build.os !== "windows") assert.equal(((await Deno.stat(keyFile)).mode ?? 0) & 0o777, 0o600);
  });
});

Deno.test("starts at the same time agree on one key and leave nothing else behind", async () => {
  await inFolder(async (keyFile) => {
    const rings = await Promise.all(Array.from({ length: 20 }, () => open(keyFile)));

    assert.equal(new Set(rings.map((ring) => ring.kids[0])).size, 1);
    const names = (await Array.fromAsync(Deno.readDir(join(keyFile, "..")))).map((entry) => entry.name);
    assert.deepEqual(names, ["signing.key"]);
  });
});

Deno.test({
  name: "a key file that others could read, a link and a folder that others could write to are refused",
  ignore: Deno.build.os === "windows",
  async fn() {
    await inFolder(async (keyFile) => {
      await open(keyFile);

      await Deno.chmod(keyFile, 0o644);
      await assert.rejects(open(keyFile), refusal(/mode 0644/));
      await Deno.chmod(keyFile, 0o600);

      await Deno.rename(keyFile, keyFile + ".real");
      await Deno.symlink(keyFile + ".real", keyFile);
      await assert.rejects(open(keyFile), refusal(/symbolic link/));
      await Deno.remove(keyFile);
      await Deno.rename(keyFile + ".real", keyFile);

      await Deno.chmod(join(keyFile, ".."), 0o777);
      await assert.rejects(open(keyFile), refusal(/folder .* its mode is 0777/));
    });
  },
});

Deno.test({
  name: "a key file of another user is refused",
  ignore: Deno.build.os === "windows" || Deno.uid() !== 0,
  async fn() {
    await inFolder(async (keyFile) => {
      await open(keyFile);
      await Deno.chown(keyFile, 65_534, 65_534);

      await assert.rejects(open(keyFile), refusal(/belongs to user 65534/));
    });
  },
});

Deno.test("a damaged key file is refused and not replaced", async () => {
  await inFolder(async (keyFile) => {
    await open(keyFile);
    await Deno.writeTextFile(keyFile, "half");

    await assert.rejects(open(keyFile), refusal(/not what was written/));
    assert.equal(await Deno.readTextFile(keyFile), "half");
  });
});

Deno.test("secretWeakness() names what is wrong", () => {
  assert.equal(secretWeakness("x".repeat(31)), "too_short");
  assert.equal(secretWeakness("x".repeat(32)), "repeating");
  assert.equal(secretWeakness("0123456789abcdef".repeat(2)), "repeating");
  assert.equal(secretWeakness("0123456789abcdef-0123456789abcdef-0"), "repeating");
  assert.equal(secretWeakness("abcdefgabcdfegaabcdgefabdcefgabcdegf"), "few_bytes");
  assert.equal(secretWeakness("0123456789abcdef0123456789abcdeX"), undefined);
});

Deno.test("secretWeakness() has nothing against random bytes in any encoding", () => {
  for (let run = 0; run < 2_000; run++) {
    const bytes = crypto.getRandomValues(new Uint8Array(32));
    assert.equal(secretWeakness(bytes), undefined);
    assert.equal(secretWeakness(bytes.toHex()), undefined);
    assert.equal(secretWeakness(bytes.toBase64()), undefined);
  }
});

Deno.test("secretWeakness() finds every period", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat(40), (part, more) => {
    const length = Math.max(32, part.length * 2 + more);
    const bytes = Uint8Array.from({ length }, (_, at) => part[at % part.length] ?? 0);
    assert.equal(secretWeakness(bytes), "repeating");
  }));
});
