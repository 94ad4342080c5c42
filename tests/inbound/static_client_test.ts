import assert from "node:assert/strict";
import { Hono } from "hono";
import type { HttpClient } from "../../lib/base/http_client.ts";
import type { Fields } from "../../lib/base/log.ts";
import type { RemoteConfig } from "../../lib/inbound/config.ts";
import { openRemote } from "../../lib/inbound/remote.ts";
import { OAuthError } from "../../lib/oauth/errors.ts";
import { fakeClock } from "../fakes/clock.ts";
import { heardLog } from "../support/watched_log.ts";

const document = {
  issuer: "https://idp.example.com/app/",
  authorization_endpoint: "https://idp.example.com/authorize",
  token_endpoint: "https://idp.example.com/token",
  jwks_uri: "https://idp.example.com/keys",
  scopes_supported: ["internal"],
  code_challenge_methods_supported: ["S256"],
  authorization_response_iss_parameter_supported: true,
  "x-unknown": { kept: [1] },
};
const staticClient = { clientId: "mcp-client", clientSecret: "mcp-secret" };

function front(config: Partial<RemoteConfig> = {}) {
  const clock = fakeClock();
  const lines: { event: string; fields: Fields }[] = [];
  const note = (event: string, fields: Fields = {}) => void lines.push({ event, fields });
  const log = heardLog({ info: note, warn: note });
  const it = {
    clock,
    lines,
    fetches: 0,
    answer: (): Promise<Response> => Promise.resolve(Response.json(document)),
  };
  const http: HttpClient = { fetch: () => (it.fetches++, it.answer()), close: () => {} };
  const inbound = openRemote({
    shape: "remote",
    provider: "jwt",
    baseUrl: "https://mcp.example.com",
    resource: "https://mcp.example.com",
    mountPath: "/",
    scopesSupported: ["openid", "profile", "email", "offline_access"],
    allow: { subjects: ["u"], emails: [], domains: [], groups: [], requiredScopes: [] },
    issuerUrl: document.issuer,
    audience: "mcp",
    groupsClaim: "groups",
    registerPath: "/oauth/register",
    requireAudience: true,
    ...config,
  }, { http, clock, log });
  const app = new Hono();
  inbound.mount(app);
  app.onError((error, c) => {
    if (!(error instanceof OAuthError)) throw error;
    return c.json({ error: error.code }, error.status as 502);
  });
  const register = (body: string) => app.request("/oauth/register", { method: "POST", body });
  return { ...it, it, app, register, [Symbol.asyncDispose]: () => inbound[Symbol.asyncDispose]() };
}

Deno.test("both documents name this server, with the configured scopes", async () => {
  await using f = front({ staticClient });

  const resource = await (await f.app.request("/.well-known/oauth-protected-resource")).json();
  const server = await (await f.app.request("/.well-known/oauth-authorization-server")).json();

  assert.deepEqual(resource, {
    resource: "https://mcp.example.com",
    authorization_servers: ["https://mcp.example.com"],
    bearer_methods_supported: ["header"],
    scopes_supported: ["openid", "profile", "email", "offline_access"],
  });
  const { authorization_response_iss_parameter_supported: _, ...kept } = document;
  assert.deepEqual(server, {
    ...kept,
    issuer: "https://mcp.example.com",
    scopes_supported: ["openid", "profile", "email", "offline_access"],
    registration_endpoint: "https://mcp.example.com/oauth/register",
  });
});

Deno.test("without a static client nothing is registered here and the IdP's own endpoint stays", async () => {
  await using f = front();

  const server = await (await f.app.request("/.well-known/oauth-authorization-server")).json();

  assert.equal("registration_endpoint" in server, false);
  assert.equal((await f.register("{}")).status, 404);
});

Deno.test("an IdP that cannot be asked is 502 in JSON, and heals", async () => {
  await using f = front({ staticClient });
  const failures = [
    () => Promise.reject(new Error("connection refused")),
    () => Promise.resolve(new Response("busy", { status: 503 })),
    () => Promise.resolve(new Response("<html>")),
    () => Promise.resolve(Response.json([])),
    () => Promise.resolve(new Response("x".repeat(600_000))),
  ];
  for (const failure of failures) {
    f.it.answer = failure;
    const response = await f.app.request("/.well-known/oauth-authorization-server");
    assert.equal(response.status, 502);
    assert.equal(typeof (await response.json()).error, "string");
  }
  f.it.answer = () => Promise.resolve(Response.json(document));

  assert.equal((await f.app.request("/.well-known/oauth-authorization-server")).status, 200);
});

Deno.test("the IdP's document is fetched once for all who ask within a minute", async () => {
  await using f = front({ staticClient });
  await f.clock.advance(0);
  const before = f.it.fetches;

  await Promise.all(
    Array.from({ length: 20 }, () => f.app.request("/.well-known/oauth-authorization-server")),
  );
  assert.equal(f.it.fetches, before + 1);
  await f.clock.advance(60_000);
  await f.app.request("/.well-known/oauth-authorization-server");
  assert.equal(f.it.fetches, before + 2);
});

Deno.test("a registration gives the one client and echoes what was asked", async () => {
  await using f = front({ staticClient });
  const asked = {
    client_name: "Claude",
    redirect_uris: ["https://claude.ai/api/mcp/auth_callback"],
    grant_types: ["authorization_code"],
    response_types: ["code"],
    token_endpoint_auth_method: "client_secret_post",
  };

  const response = await f.register(JSON.stringify(asked));
  const body = await response.json();

  assert.equal(response.status, 201);
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.deepEqual(body, {
    ...asked,
    client_id: "mcp-client",
    client_secret: "mcp-secret",
    client_id_issued_at: Math.floor(f.clock.now() / 1_000),
    client_secret_expires_at: 0,
  });
});

Deno.test("a registration that says nothing gets the defaults, and one for a public client is made confidential", async () => {
  await using f = front({ staticClient });

  const nothing = await (await f.register("{}")).json();
  const asPublic = await (await f.register('{"token_endpoint_auth_method":"none"}')).json();

  assert.deepEqual(nothing.redirect_uris, []);
  assert.deepEqual(nothing.grant_types, ["authorization_code", "refresh_token"]);
  assert.deepEqual(nothing.response_types, ["code"]);
  assert.equal(nothing.token_endpoint_auth_method, "client_secret_basic");
  assert.equal(asPublic.token_endpoint_auth_method, "client_secret_post");
});

Deno.test("a registration that is no JSON object, or too long, is refused", async () => {
  await using f = front({ staticClient });
  for (const body of ["", "x", "[]", "null", "1", '"a"']) {
    const response = await f.register(body);
    assert.equal(response.status, 400);
    assert.equal((await response.json()).error, "invalid_client_metadata");
  }
  assert.equal((await f.register(`{"a":"${"x".repeat(70_000)}"}`)).status, 413);
});

Deno.test("the log says that the static client is public, and never its secret", async () => {
  await using f = front({ staticClient });
  await f.register('{"client_name":"C\\u0000\\u001b[31m"}');
  await f.clock.advance(0);

  const text = JSON.stringify(f.lines);
  assert.match(text, /static_client_is_public/);
  assert.match(text, /static_client_given/);
  assert.doesNotMatch(text, /mcp-secret|\\u001b/);
});
