import assert from "node:assert/strict";
import { UserError } from "../../lib/base/errors.ts";
import { basicCredentials, chooseAuthMethod, importSigningKey } from "../../lib/oauth/client_auth.ts";
import type { ServerMetadata } from "../../lib/oauth/server_metadata.ts";

const server = (methods?: string[]) =>
  ({
    issuer: "https://as.example",
    token_endpoint_auth_methods_supported: methods,
  }) as ServerMetadata;

Deno.test("chooseAuthMethod() goes by key, then by what the server takes: basic, post, none", () => {
  const secret = { clientId: "c", clientSecret: "s" };

  assert.equal(chooseAuthMethod({ clientId: "c" }, server()), "none");
  assert.equal(chooseAuthMethod({ clientId: "c", clientSecret: "" }, server()), "none");
  assert.equal(chooseAuthMethod(secret, server()), "client_secret_basic");
  assert.equal(
    chooseAuthMethod(secret, server(["client_secret_post", "client_secret_basic"])),
    "client_secret_basic",
  );
  assert.equal(chooseAuthMethod(secret, server(["client_secret_post", "none"])), "client_secret_post");
  assert.equal(
    chooseAuthMethod({ ...secret, clientKey: "k" }, server(["client_secret_basic"])),
    "private_key_jwt",
  );
});

Deno.test("chooseAuthMethod() honours what registration returned, as far as it can be done", () => {
  assert.equal(
    chooseAuthMethod(
      { clientId: "c", clientSecret: "s", authMethod: "client_secret_post" },
      server(["client_secret_basic"]),
    ),
    "client_secret_post",
  );
  assert.equal(chooseAuthMethod({ clientId: "c", clientSecret: "s", authMethod: "none" }, server()), "none");
  assert.equal(chooseAuthMethod({ clientId: "c", authMethod: "client_secret_basic" }, server()), "none");
});

Deno.test("basicCredentials() encodes its parts as forms do, and no more", () => {
  assert.equal(atob(basicCredentials("a-b.c_d", "p:w/+ %\u00e9").slice(6)), "a-b.c_d:p%3Aw%2F%2B+%25%C3%A9");
});

async function pem(algorithm: RsaHashedKeyGenParams | EcKeyGenParams | { name: string }): Promise<string> {
  const pair = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]) as CryptoKeyPair;
  const der = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
  const body = btoa(String.fromCharCode(...der)).replaceAll(/.{64}/g, "$&\n");
  return `-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----\n`;
}

Deno.test("importSigningKey() reads RSA, P-256, P-384 and Ed25519", async () => {
  const rsa = await pem({
    name: "RSASSA-PKCS1-v1_5",
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
    hash: "SHA-256",
  });

  assert.equal((await importSigningKey(rsa)).algorithm.name, "RSASSA-PKCS1-v1_5");
  assert.equal((await importSigningKey(rsa, ["PS256"])).algorithm.name, "RSA-PSS");
  for (const namedCurve of ["P-256", "P-384"]) {
    const { algorithm } = await importSigningKey(await pem({ name: "ECDSA", namedCurve }));
    assert.deepEqual({ ...algorithm }, { name: "ECDSA", namedCurve });
  }
  assert.equal((await importSigningKey(await pem({ name: "Ed25519" }))).algorithm.name, "Ed25519");
});

Deno.test("importSigningKey() says what is wrong with what is no key", async () => {
  await assert.rejects(importSigningKey("nonsense"), UserError);
  await assert.rejects(
    importSigningKey("-----BEGIN RSA PRIVATE KEY-----\nx\n-----END RSA PRIVATE KEY-----"),
    UserError,
  );
  await assert.rejects(
    importSigningKey("-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----"),
    UserError,
  );
  const cut = (await pem({ name: "ECDSA", namedCurve: "P-256" })).replace(/\n.{20}/, "\n");
  await assert.rejects(importSigningKey(cut), UserError);
});
