import assert from "node:assert/strict";
import fc from "fast-check";
import { isLoopbackHost } from "../../lib/base/proxy.ts";
import { isClientDocumentUrl, parseClientDocument } from "../../lib/oauth/client_metadata.ts";
import { endpointUrl } from "../../lib/oauth/endpoint_url.ts";
import { OAuthError } from "../../lib/oauth/errors.ts";
import { parseResourceMetadata } from "../../lib/oauth/resource_metadata.ts";
import { parseServerMetadata, serverMetadataUrls } from "../../lib/oauth/server_metadata.ts";

const members = fc.constantFrom(
  "issuer",
  "resource",
  "authorization_servers",
  "token_endpoint",
  "scopes_supported",
  "code_challenge_methods_supported",
  "client_id",
  "redirect_uris",
  "__proto__",
);
const documents = fc.oneof(fc.jsonValue(), fc.dictionary(members, fc.jsonValue()));

Deno.test("metadata documents are read or left, and never throw", () => {
  fc.assert(fc.property(documents, (document) => {
    const server = parseServerMetadata(document);
    assert.ok(
      server === undefined ||
        (server.issuer !== "" && (server.scopes_supported ?? []).every((s) => typeof s === "string")),
    );
    const resource = parseResourceMetadata(document);
    assert.ok(resource === undefined || typeof resource.resource === "string");
  }));
});

Deno.test("client documents are read or refused with an OAuthError", () => {
  fc.assert(fc.property(documents, fc.webUrl(), (document, url) => {
    try {
      assert.ok(parseClientDocument(document, url).redirect_uris.length > 0);
    } catch (error) {
      assert.ok(error instanceof OAuthError);
    }
  }));
});

const addresses = fc.oneof(
  fc.string(),
  fc.webUrl({ withFragments: true, withQueryParameters: true }),
  fc.tuple(
    fc.constantFrom("http://", "https://", "HTTPS://", "ftp://", "javascript:", "//", "https:\\\\"),
    fc.string(),
  ).map((parts) => parts.join("")),
);

Deno.test("endpointUrl() lets nothing through but https, and http on this machine", () => {
  fc.assert(fc.property(addresses, (text) => {
    const url = endpointUrl(text);
    if (url === undefined) return;
    assert.ok(url.protocol === "https:" || (url.protocol === "http:" && isLoopbackHost(url.hostname)));
    assert.equal(url.username + url.password + url.hash, "");
  }));
});

Deno.test("isClientDocumentUrl() lets nothing through but https with a path, in the spelling of a URL parser", () => {
  fc.assert(fc.property(addresses, (text) => {
    if (!isClientDocumentUrl(text)) return;
    const url = new URL(text);
    assert.equal(url.href, text);
    assert.equal(url.protocol, "https:");
    assert.ok(url.pathname.length > 1);
    assert.equal(url.username + url.password + url.hash, "");
  }));
});

Deno.test("serverMetadataUrls() never leaves the issuer's origin", () => {
  const paths = fc.string({ unit: fc.constantFrom(..."/.\\?#@:a%2f") });
  fc.assert(fc.property(paths, (path) => {
    const issuer = `https://as.example/${path}`;
    if (!URL.canParse(issuer)) return;
    for (const url of serverMetadataUrls(issuer)) assert.equal(url.origin, "https://as.example");
  }));
});
