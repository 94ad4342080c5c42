import assert from "node:assert/strict";
import { Hono } from "hono";
import { challengeOf, mountMetadata } from "../../lib/inbound/metadata.ts";
import { OAuthError } from "../../lib/oauth/errors.ts";
import { findBearerChallenge } from "../../lib/oauth/challenge.ts";
import { base, bridgeConfig, bridgeKit } from "./kit.ts";

const resourcePlaces = [
  "/.well-known/oauth-protected-resource",
  "/.well-known/oauth-protected-resource/mcp",
  "/mcp/.well-known/oauth-protected-resource",
];
const serverPlaces = [
  "/.well-known/oauth-authorization-server",
  "/.well-known/oauth-authorization-server/mcp",
  "/mcp/.well-known/oauth-authorization-server",
];
const absent = [
  "/.well-known/openid-configuration",
  "/.well-known/openid-configuration/mcp",
  "/mcp/.well-known/openid-configuration",
  "/.well-known/anything",
  "/mcp/.well-known/x/y",
];

Deno.test("the resource is described the same at every place where a client looks", async () => {
  const { app } = await bridgeKit({ config: { resourceName: "Notes" } });

  for (const path of resourcePlaces) {
    const response = await app.request(path);
    assert.equal(response.status, 200, path);
    assert.equal(response.headers.get("access-control-allow-origin"), "*");
    assert.deepEqual(await response.json(), {
      resource: "https://door.example/mcp",
      authorization_servers: ["https://door.example"],
      scopes_supported: ["openid", "email"],
      bearer_methods_supported: ["header"],
      resource_name: "Notes",
    });
  }
});

Deno.test("the resource has no name unless one was given", async () => {
  const { app } = await bridgeKit();

  assert.ok(!("resource_name" in await (await app.request(resourcePlaces[0] ?? "")).json()));
});

Deno.test("the authorization server is described the same at every place where a client looks", async () => {
  const { app } = await bridgeKit();

  for (const path of serverPlaces) {
    const response = await app.request(path);
    assert.equal(response.status, 200, path);
    assert.match(response.headers.get("cache-control") ?? "", /no-transform/);
    assert.deepEqual(await response.json(), {
      issuer: base,
      authorization_endpoint: `${base}/authorize`,
      token_endpoint: `${base}/token`,
      registration_endpoint: `${base}/register`,
      revocation_endpoint: `${base}/revoke`,
      scopes_supported: ["openid", "email"],
      response_types_supported: ["code"],
      response_modes_supported: ["query"],
      grant_types_supported: ["authorization_code", "refresh_token"],
      token_endpoint_auth_methods_supported: ["none", "client_secret_post", "client_secret_basic"],
      revocation_endpoint_auth_methods_supported: ["none", "client_secret_post", "client_secret_basic"],
      code_challenge_methods_supported: ["S256"],
      authorization_response_iss_parameter_supported: true,
      client_id_metadata_document_supported: false,
    });
  }
});

Deno.test("what cannot be answered truthfully is a JSON 404 for every method, never a challenge", async () => {
  const { app } = await bridgeKit();

  for (const path of absent) {
    for (const method of ["GET", "POST", "DELETE"]) {
      const response = await app.request(path, { method });
      assert.equal(response.status, 404, `${method} ${path}`);
      assert.deepEqual(await response.json(), { error: "not_found" });
      assert.equal(response.headers.get("www-authenticate"), null);
    }
  }
});

Deno.test("metadata answers HEAD, and preflights for every header that is a name", async () => {
  const { app } = await bridgeKit();

  for (const path of [...resourcePlaces, ...serverPlaces, "/token", "/register", "/revoke"]) {
    const preflight = await app.request(path, {
      method: "OPTIONS",
      headers: {
        origin: "https://app.example",
        "access-control-request-headers": "authorization, Mcp-Param-Region, x y",
      },
    });
    assert.equal(preflight.status, 204, path);
    assert.equal(preflight.headers.get("access-control-allow-origin"), "*");
    const names = (preflight.headers.get("access-control-allow-headers") ?? "").split(", ");
    for (const name of ["authorization", "content-type", "mcp-protocol-version", "mcp-param-region"]) {
      assert.ok(names.includes(name), `${path}: ${name}`);
    }
    assert.ok(names.every((name) => /^[a-z-]+$/.test(name)), String(names));
    assert.equal(preflight.headers.get("access-control-allow-credentials"), null);
  }
  for (const path of [...resourcePlaces, ...serverPlaces]) {
    const head = await app.request(path, { method: "HEAD" });
    assert.equal(head.status, 200, path);
    assert.equal(await head.text(), "");
    assert.equal((await app.request(path, { method: "POST" })).status, 405, path);
  }
});

Deno.test("pages that a person sees have no CORS", async () => {
  const { app } = await bridgeKit();

  for (const path of ["/authorize", "/consent", "/auth/callback"]) {
    for (const method of ["GET", "OPTIONS", "POST"]) {
      const response = await app.request(path, { method, headers: { origin: "https://evil.example" } });
      assert.equal(response.headers.get("access-control-allow-origin"), null, `${method} ${path}`);
    }
  }
});

Deno.test("a forged host moves no address", async () => {
  const { app } = await bridgeKit();

  for (const path of [...resourcePlaces, ...serverPlaces]) {
    const response = await app.request(`http://evil.example${path}`, {
      headers: {
        host: "evil.example",
        "x-forwarded-host": "evil.example",
        "x-forwarded-proto": "http",
        forwarded: "host=evil.example",
      },
    });
    assert.ok(!(await response.text()).includes("evil"), path);
  }
});

Deno.test("a base URL with a path keeps it in resource, issuer and endpoints, and both places answer", async () => {
  const { app } = await bridgeKit({
    config: { baseUrl: `${base}/team`, resource: `${base}/team/mcp`, mountPath: "/team/mcp" },
  });

  for (
    const path of [
      "/.well-known/oauth-authorization-server/team",
      "/.well-known/oauth-authorization-server",
      "/team/.well-known/oauth-authorization-server",
      "/.well-known/oauth-authorization-server/team/mcp",
    ]
  ) {
    const document = await (await app.request(path)).json();
    assert.equal(document.issuer, `${base}/team`, path);
    assert.equal(document.token_endpoint, `${base}/team/token`);
  }
  const resource = await (await app.request("/.well-known/oauth-protected-resource/team/mcp")).json();
  assert.equal(resource.resource, `${base}/team/mcp`);
  for (const path of ["/team/token", "/token"]) {
    assert.equal((await app.request(path, { method: "POST" })).status, 400, path);
  }
});

Deno.test("challengeOf() names the document and the scopes, and an error only where there was one", () => {
  const front = bridgeConfig({ allow: { ...bridgeConfig().allow, requiredScopes: ["notes:read"] } });

  const plain = challengeOf(front, undefined);
  const refused = challengeOf(front, new OAuthError("invalid_token", "Not valid", { status: 401 }));

  assert.deepEqual({ ...findBearerChallenge(plain)?.params }, {
    resource_metadata: "https://door.example/.well-known/oauth-protected-resource/mcp",
    scope: "openid email notes:read",
  });
  assert.equal(findBearerChallenge(refused)?.params["error"], "invalid_token");
  assert.match(
    refused,
    /^Bearer error="invalid_token", error_description="Not valid", resource_metadata="https:/,
  );
});

Deno.test("a resource at the root is described at the root", async () => {
  const app = new Hono();
  const front = bridgeConfig({ resource: base, mountPath: "/" });
  mountMetadata(app, front, { authorizationServers: [base] });

  assert.equal((await (await app.request("/.well-known/oauth-protected-resource")).json()).resource, base);
  assert.match(
    challengeOf(front, undefined),
    /"https:\/\/door\.example\/\.well-known\/oauth-protected-resource"/,
  );
});
