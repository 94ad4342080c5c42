import assert from "node:assert/strict";
import { openHttpClient } from "../../lib/base/http_client.ts";
import { discoverServer, fetchResourceMetadata, tolerantIssuer } from "../../lib/oauth/discovery.ts";
import { OAuthFailure } from "../../lib/oauth/failure.ts";
import { resourceMetadataUrls } from "../../lib/oauth/resource_metadata.ts";
import {
  openIdConfigurationUrl,
  parseServerMetadata,
  serverMetadataUrls,
} from "../../lib/oauth/server_metadata.ts";

type Documents = Record<string, unknown>;

/** Answers these paths; a number is a status, a Response itself; the rest is 404. */
function site(documents: (origin: string) => Documents) {
  const asked: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { pathname, search, origin } = new URL(request.url);
    asked.push(pathname + search);
    const found = documents(origin)[pathname];
    if (found === undefined) return new Response("no", { status: 404 });
    if (typeof found === "number") {
      return new Response(null, { status: found, headers: { location: "/other" } });
    }
    return found instanceof Response ? found : Response.json(found);
  });
  const http = openHttpClient();
  return {
    asked,
    http,
    origin: `http://127.0.0.1:${server.addr.port}`,
    async [Symbol.asyncDispose]() {
      http.close();
      await server.shutdown();
    },
  };
}

const fails = (kind: string, reason: string) => (error: unknown) =>
  error instanceof OAuthFailure && error.kind === kind && error.reason === reason;

Deno.test("serverMetadataUrls() follows the order of the MCP rules", () => {
  const paths = (issuer: string) => serverMetadataUrls(issuer).map((url) => url.pathname);

  assert.deepEqual(paths("https://as.example/t/1"), [
    "/.well-known/oauth-authorization-server/t/1",
    "/.well-known/openid-configuration/t/1",
    "/t/1/.well-known/openid-configuration",
  ]);
  for (const issuer of ["https://as.example", "https://as.example/"]) {
    assert.deepEqual(paths(issuer), [
      "/.well-known/oauth-authorization-server",
      "/.well-known/openid-configuration",
    ]);
  }
  assert.equal(
    openIdConfigurationUrl("https://as.example/t/").pathname,
    "/t/.well-known/openid-configuration",
  );
});

Deno.test("serverMetadataUrls() and openIdConfigurationUrl() stay on the issuer's host, whatever its path", () => {
  for (
    const issuer of [
      "https://as.example//evil.example/x",
      "https://as.example/\\evil.example",
      "https://as.example//",
    ]
  ) {
    for (const url of [...serverMetadataUrls(issuer), openIdConfigurationUrl(issuer)]) {
      assert.equal(url.host, "as.example", url.href);
    }
    for (const url of resourceMetadataUrls(issuer)) assert.equal(url.host, "as.example", url.href);
  }
});

Deno.test("resourceMetadataUrls() asks at the path before the root, and keeps the query", () => {
  assert.deepEqual(resourceMetadataUrls("https://a.example/mcp/?x=1").map(String), [
    "https://a.example/.well-known/oauth-protected-resource/mcp?x=1",
    "https://a.example/.well-known/oauth-protected-resource",
  ]);
  assert.equal(resourceMetadataUrls("https://a.example").length, 1);
});

Deno.test("discoverServer() goes on from place to place and stops at the first document", async () => {
  await using as = site((origin) => ({
    "/t/.well-known/openid-configuration": { issuer: `${origin}/t`, token_endpoint: `${origin}/token` },
    "/.well-known/oauth-authorization-server": { issuer: origin },
  }));

  const metadata = await discoverServer(as.http, `${as.origin}/t`);

  assert.equal(metadata.issuer, `${as.origin}/t`);
  assert.deepEqual(as.asked, [
    "/.well-known/oauth-authorization-server/t",
    "/.well-known/openid-configuration/t",
    "/t/.well-known/openid-configuration",
  ]);
});

Deno.test("discoverServer() uses no document of another issuer, not even with another slash", async () => {
  await using as = site((origin) => ({
    "/.well-known/oauth-authorization-server": { issuer: `${origin}/` },
  }));

  await assert.rejects(discoverServer(as.http, as.origin), fails("dead", "issuer_mismatch"));
  const tolerant = await discoverServer(as.http, as.origin, { accepts: tolerantIssuer(as.origin) });
  assert.equal(tolerant.issuer, `${as.origin}/`);
  await assert.rejects(
    discoverServer(as.http, as.origin, { accepts: tolerantIssuer("https://other.example") }),
    fails("dead", "issuer_mismatch"),
  );
});

Deno.test("discoverServer() tells an authorization server that is down from one that publishes nothing", async () => {
  await using nothing = site(() => ({}));
  await using down = site(() => ({ "/.well-known/oauth-authorization-server": 503 }));
  await using html = site(() => ({ "/.well-known/openid-configuration": new Response("<html>") }));
  await using moved = site(() => ({ "/.well-known/oauth-authorization-server": 302 }));

  await assert.rejects(discoverServer(nothing.http, nothing.origin), fails("dead", "no_metadata"));
  await assert.rejects(discoverServer(down.http, down.origin), fails("transient", "http_503"));
  await assert.rejects(discoverServer(html.http, html.origin), fails("dead", "no_metadata"));
  await assert.rejects(discoverServer(moved.http, moved.origin), fails("dead", "no_metadata"));
  assert.ok(!moved.asked.includes("/other"));
  await assert.rejects(discoverServer(nothing.http, "nonsense"), fails("dead", "bad_issuer"));
});

Deno.test("discoverServer() takes a document although another place is out of order", async () => {
  await using as = site((origin) => ({
    "/.well-known/oauth-authorization-server": 500,
    "/.well-known/openid-configuration": { issuer: origin },
  }));

  assert.equal((await discoverServer(as.http, as.origin)).issuer, as.origin);
});

Deno.test("discoverServer() ends with the caller's signal", async () => {
  await using as = site(() => ({}));
  const stop = new AbortController();
  stop.abort(new Error("enough"));

  await assert.rejects(discoverServer(as.http, as.origin, { signal: stop.signal }), /enough/);
});

Deno.test("parseServerMetadata() drops members of the wrong type and keeps the rest", () => {
  const metadata = parseServerMetadata({
    issuer: "https://as.example",
    token_endpoint: 7,
    scopes_supported: ["a", 1],
    code_challenge_methods_supported: ["S256"],
    client_id_metadata_document_supported: "yes",
    unknown: {},
  });

  assert.equal(metadata?.token_endpoint, undefined);
  assert.equal(metadata?.scopes_supported, undefined);
  assert.deepEqual(metadata?.code_challenge_methods_supported, ["S256"]);
  for (const bad of [null, 1, [], {}, { issuer: 1 }, { issuer: "" }]) {
    assert.equal(parseServerMetadata(bad), undefined);
  }
});

Deno.test("fetchResourceMetadata() finds the document, nothing, or a server that is down", async () => {
  await using rs = site((origin) => ({
    "/.well-known/oauth-protected-resource/mcp": {
      resource: `${origin}/mcp`,
      authorization_servers: [origin],
    },
    "/broken": { resource: 7 },
    "/down": 502,
  }));
  const get = (path: string) => fetchResourceMetadata(rs.http, new URL(path, rs.origin));

  assert.deepEqual((await get("/.well-known/oauth-protected-resource/mcp"))?.authorization_servers, [
    rs.origin,
  ]);
  assert.equal(await get("/nothing"), undefined);
  assert.equal(await get("/broken"), undefined);
  await assert.rejects(get("/down"), fails("transient", "http_502"));
});
