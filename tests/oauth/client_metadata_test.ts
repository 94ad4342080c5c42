import assert from "node:assert/strict";
import fc from "fast-check";
import {
  isClientDocumentUrl,
  parseClientDocument,
  parseRegistration,
} from "../../lib/oauth/client_metadata.ts";
import { OAuthError } from "../../lib/oauth/errors.ts";

const code = (error: string) => (thrown: unknown) => thrown instanceof OAuthError && thrown.code === error;
const reason = (word: string) => (thrown: unknown) => thrown instanceof OAuthError && thrown.reason === word;

Deno.test("parseRegistration() takes what the clients send, empty scope and null members included", () => {
  const metadata = parseRegistration({
    redirect_uris: ["http://localhost:1/cb"],
    client_name: "FastMCP Client",
    scope: "",
    token_endpoint_auth_method: null,
    grant_types: ["authorization_code", "refresh_token"],
    application_type: "native",
    software_version: "1",
    "x-anything": { a: 1 },
  });

  assert.deepEqual(metadata.redirect_uris, ["http://localhost:1/cb"]);
  assert.equal(metadata.scope, undefined);
  assert.equal(metadata.token_endpoint_auth_method, undefined);
  assert.equal("x-anything" in metadata, false);
});

Deno.test("parseRegistration() names the member that is wrong, by the error code that RFC 7591 has for it", () => {
  for (const redirect_uris of [undefined, [], "https://a/b", [1], Array(21).fill("https://a/b")]) {
    assert.throws(() => parseRegistration({ redirect_uris }), code("invalid_redirect_uri"));
  }
  const redirect_uris = ["https://claude.ai/cb"];
  for (
    const member of [{ client_name: 1 }, { client_name: "x".repeat(513) }, { grant_types: "code" }, {
      jwks: [],
    }]
  ) {
    assert.throws(() => parseRegistration({ redirect_uris, ...member }), code("invalid_client_metadata"));
  }
  for (const body of [null, 1, "x", []]) assert.throws(() => parseRegistration(body), OAuthError);
});

Deno.test("parseRegistration() throws nothing but OAuthErrors, which repeat nothing that was sent", () => {
  fc.assert(fc.property(fc.jsonValue(), (body) => {
    try {
      parseRegistration(body);
    } catch (error) {
      assert.ok(error instanceof OAuthError);
      assert.match(error.description, /^[\x20-\x7e]+$/);
    }
  }));
});

const url = "https://client.example/meta.json";
const good = { client_id: url, client_name: "Client", redirect_uris: ["http://localhost/cb"] };

Deno.test("parseClientDocument() takes a public client and one with keys", () => {
  assert.equal(parseClientDocument(good, url).client_name, "Client");
  const keyed = {
    ...good,
    token_endpoint_auth_method: "private_key_jwt",
    jwks_uri: "https://client.example/jwks",
  };
  assert.equal(parseClientDocument(keyed, url).token_endpoint_auth_method, "private_key_jwt");
});

const broken: [string, unknown, string][] = [
  ["another client_id", { ...good, client_id: `${url}/` }, "cimd_client_id_mismatch"],
  ["a secret", { ...good, client_secret: "x" }, "cimd_has_secret"],
  ["a secret's end", { ...good, client_secret_expires_at: 0 }, "cimd_has_secret"],
  ["client_secret_post", { ...good, token_endpoint_auth_method: "client_secret_post" }, "cimd_secret_method"],
  [
    "private_key_jwt without keys",
    { ...good, token_endpoint_auth_method: "private_key_jwt" },
    "cimd_no_keys",
  ],
  ["no name", { ...good, client_name: undefined }, "cimd_malformed"],
  ["an empty name", { ...good, client_name: "" }, "cimd_malformed"],
  ["no redirect URIs", { ...good, redirect_uris: [] }, "cimd_malformed"],
  ["no client_id", { ...good, client_id: undefined }, "cimd_malformed"],
  ["a list", [good], "cimd_malformed"],
  ["null", null, "cimd_malformed"],
];
for (const [what, document, word] of broken) {
  Deno.test(`parseClientDocument() refuses a document with ${what}`, () => {
    assert.throws(() => parseClientDocument(document, url), reason(word));
  });
}

Deno.test("isClientDocumentUrl() takes https with a path in its one spelling", () => {
  for (
    const id of [
      url,
      "https://client.example:8443/a/b?x=1",
      "https://claude.ai/oauth/claude-code-client-metadata",
    ]
  ) {
    assert.equal(isClientDocumentUrl(id), true, id);
  }
  for (
    const id of [
      "http://client.example/meta.json",
      "https://client.example",
      "https://client.example/",
      "https://client.example/a#f",
      "https://client.example/a#",
      "https://u@client.example/a",
      "https://@client.example/a",
      "https://client.example/a/../b",
      "https://client.example/a/./b",
      "https://client.example/a/%2e%2e/b",
      "https://client.example:443/a",
      "https://CLIENT.example/a",
      "HTTPS://client.example/a",
      "https://client.example/a b",
      "https://client.example\\a",
      " https://client.example/a",
      "https://client.example/\n",
      "https://2130706433/a",
      "client.example/a",
      "",
      `https://client.example/${"a".repeat(3_000)}`,
    ]
  ) assert.equal(isClientDocumentUrl(id), false, id);
});

Deno.test("isClientDocumentUrl() takes loopback http only when allowed", () => {
  assert.equal(isClientDocumentUrl("http://127.0.0.1:9/c.json"), false);
  assert.equal(isClientDocumentUrl("http://127.0.0.1:9/c.json", { allowLoopback: true }), true);
  assert.equal(isClientDocumentUrl("http://10.0.0.1/c.json", { allowLoopback: true }), false);
});
