import assert from "node:assert/strict";
import { Hono } from "hono";
import type { HttpClient } from "../../lib/base/http_client.ts";
import type { Fields } from "../../lib/base/log.ts";
import type { AllowConfig, RemoteConfig } from "../../lib/inbound/config.ts";
import { openRemote } from "../../lib/inbound/remote.ts";
import { OAuthError } from "../../lib/oauth/errors.ts";
import {
  audience,
  issuer,
  jwksUri,
  type SigningKey,
  signingKey,
  tokenIssuer,
} from "../crypto/token_issuer.ts";
import { heardLog } from "../support/watched_log.ts";

const key = await signingKey("RS256", "k1");
const stranger = await signingKey("RS256", "k1");
const everybody: AllowConfig = { subjects: [], emails: [], domains: [], groups: [], requiredScopes: [] };
const discovery = {
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  registration_endpoint: `${issuer}/register`,
  jwks_uri: jwksUri,
  code_challenge_methods_supported: ["S256"],
  "x-unknown": { kept: true },
};

interface Options {
  config?: Partial<RemoteConfig>;
  allow?: Partial<AllowConfig>;
  discovery?: Record<string, unknown>;
  keys?: readonly SigningKey[];
}

/** A remote front for an IdP of our own, with everything that went out on record. */
function front(options: Options = {}) {
  const idp = tokenIssuer(options.keys ?? [key]);
  const fetched: string[] = [];
  const lines: { event: string; fields: Fields }[] = [];
  const note = (event: string, fields: Fields = {}) => void lines.push({ event, fields });
  const whispered: typeof lines = [];
  const whisper = (event: string, fields: Fields = {}) => void whispered.push({ event, fields });
  const log = heardLog({ warn: note, info: note, debug: whisper });
  let down = false;
  const http: HttpClient = {
    fetch(input) {
      const url = String(input);
      fetched.push(url);
      if (down) return Promise.reject(new Error("connection refused"));
      if (url === jwksUri) return idp.answer();
      return Promise.resolve(Response.json({ ...discovery, ...options.discovery }));
    },
    close: () => {},
  };
  const config: RemoteConfig = {
    shape: "remote",
    provider: "keycloak",
    baseUrl: "https://mcp.example.com",
    resource: audience,
    mountPath: "/mcp",
    scopesSupported: ["openid", "email"],
    allow: { ...everybody, ...options.allow },
    issuerUrl: issuer,
    groupsClaim: "groups",
    registerPath: "/oauth/register",
    requireAudience: true,
    ...options.config,
  };
  const inbound = openRemote(config, { http, clock: idp.clock, log });
  const app = new Hono();
  inbound.mount(app);
  return {
    idp,
    inbound,
    app,
    fetched,
    lines,
    whispered,
    warned: () => lines.map((line) => line.fields.reason ?? line.event),
    set down(value: boolean) {
      down = value;
    },
    json: async (path: string) => await (await app.request(path)).json(),
    /** Why the bearer is refused; `accepted` when it is not. */
    async outcome(bearer: string) {
      try {
        await inbound.authenticate(bearer);
        return "accepted";
      } catch (error) {
        assert.ok(error instanceof OAuthError);
        return `${error.status} ${error.code} ${error.reason}`;
      }
    },
    [Symbol.asyncDispose]: () => inbound[Symbol.asyncDispose](),
  };
}

Deno.test("a good token gives a caller with all that the rest needs", async () => {
  await using it = front();
  const token = await it.idp.token({
    azp: "client-1",
    scope: "openid read",
    email: "a@example.com",
    email_verified: "true",
    name: "Älice",
    groups: ["staff"],
  });

  const { claims, ...caller } = await it.inbound.authenticate(token);

  assert.deepEqual(caller, {
    subject: "alice",
    email: "a@example.com",
    emailVerified: true,
    name: "Älice",
    groups: ["staff"],
    clientId: "client-1",
    scopes: ["openid", "read"],
    expiresAtMs: it.idp.clock.now() + 360_000,
    forwardable: token,
  });
  assert.equal(claims.iss, issuer);
});

Deno.test("groups come from the configured claim, flat or by path, as a string or a list", async () => {
  const groups = async (groupsClaim: string, claims: Record<string, unknown>) => {
    await using it = front({ config: { groupsClaim } });
    return (await it.inbound.authenticate(await it.idp.token(claims))).groups;
  };

  assert.deepEqual(await groups("realm_access.roles", { realm_access: { roles: ["a", "b"] } }), ["a", "b"]);
  assert.deepEqual(await groups("https://x.example/groups", { "https://x.example/groups": ["a"] }), ["a"]);
  assert.deepEqual(await groups("role", { role: "a" }), ["a"]);
  assert.deepEqual(await groups("groups", { groups: { a: 1 } }), []);
  assert.deepEqual(await groups("groups", {}), []);
});

Deno.test("scopes are read from scope and scp, as a string or a list", async () => {
  await using it = front();
  for (const claims of [{ scope: "a b" }, { scp: "a b" }, { scope: ["a", "b"] }, { scp: ["a", "b"] }]) {
    assert.deepEqual((await it.inbound.authenticate(await it.idp.token(claims))).scopes, ["a", "b"]);
  }
});

Deno.test("a machine's token without a subject is its client's", async () => {
  await using it = front();
  const token = await it.idp.token({ sub: undefined, client_id: "machine" } as Record<string, unknown>);

  const caller = await it.inbound.authenticate(token);

  assert.deepEqual([caller.subject, caller.clientId], ["machine", "machine"]);
});

Deno.test("a token with three hundred groups and one with names beyond ASCII are accepted", async () => {
  await using it = front();
  const groups = Array.from({ length: 300 }, (_, at) => `department-of-everything-${at}`);

  const caller = await it.inbound.authenticate(await it.idp.token({ groups, name: "日本語 😀" }));

  assert.equal(caller.groups.length, 300);
});

Deno.test("every attack on the token is refused as invalid_token, without any fetch", async () => {
  await using it = front();
  await it.inbound.authenticate(await it.idp.token());
  const before = it.fetched.length;
  const now = Math.floor(it.idp.clock.now() / 1_000);
  const attacks = {
    garbage: "x",
    expired: await it.idp.token({ exp: now - 61 }),
    "no expiry": await it.idp.token({ exp: undefined } as Record<string, unknown>),
    "not yet": await it.idp.token({ nbf: now + 61 }),
    "other audience": await it.idp.token({ aud: "https://other.example" }),
    "no audience": await it.idp.token({ aud: undefined } as Record<string, unknown>),
    "other issuer": await it.idp.token({ iss: "https://evil.example" }),
    "foreign key": await it.idp.token({}, {}, stranger),
    "foreign key by jwk": await it.idp.token({}, { jwk: stranger.jwk }, stranger),
    "foreign key by jku": await it.idp.token({}, { jku: "https://evil.example/keys" }, stranger),
    id_token: await it.idp.token({ at_hash: "x", nonce: "n" }),
    "Keycloak id_token": await it.idp.token({ typ: "ID" }),
    "refresh token": await it.idp.token({ typ: "Refresh" }),
    "logout token": await it.idp.token({ events: {} }, { typ: "logout+jwt" }),
    "nobody's": await it.idp.token({ sub: undefined } as Record<string, unknown>),
  };

  for (const [name, token] of Object.entries(attacks)) {
    assert.match(await it.outcome(token), /^401 invalid_token token_/, name);
  }
  assert.equal(it.fetched.length, before);
  for (let n = 0; n < 20; n++) {
    const unknown = await it.idp.token({}, { kid: `other-${n}` }, stranger);
    assert.equal(await it.outcome(unknown), "401 invalid_token token_unknown_key");
  }
  assert.equal(it.fetched.length, before + 1);
});

Deno.test("the audience may be the configured one or this server, and nothing else", async () => {
  await using it = front({ config: { audience: "mcp-server" } });
  for (
    const aud of ["mcp-server", audience, `${audience}/`, "https://mcp.example.com", [
      "account",
      "mcp-server",
    ]]
  ) {
    assert.equal(await it.outcome(await it.idp.token({ aud })), "accepted");
  }
  for (const aud of ["account", "https://mcp.example.com.evil.example", `${audience}/admin`, "MCP-SERVER"]) {
    assert.equal(await it.outcome(await it.idp.token({ aud })), "401 invalid_token token_audience");
  }
});

Deno.test("only Cognito's tokens may name the client in place of an audience", async () => {
  const claims = { aud: undefined, client_id: "app-1" } as unknown as Record<string, unknown>;
  const cognito = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_x";
  await using plain = front({ config: { audience: "app-1" } });
  await using pool = front({
    config: { audience: "app-1", issuerUrl: cognito },
    discovery: { issuer: cognito },
  });

  assert.equal(await plain.outcome(await plain.idp.token(claims)), "401 invalid_token token_audience");
  assert.equal(await pool.outcome(await pool.idp.token({ ...claims, iss: cognito })), "accepted");
  const other = await pool.idp.token({ ...claims, iss: cognito, client_id: "app-2" });
  assert.equal(await pool.outcome(other), "401 invalid_token token_audience");
});

Deno.test("a token whose audience nobody checked is never forwarded", async () => {
  await using it = front({ config: { requireAudience: false } });

  const caller = await it.inbound.authenticate(await it.idp.token({ aud: "another API" }));

  assert.equal(caller.forwardable, undefined);
});

Deno.test("an IdP that is down is 503 and never 401, and heals by itself", async () => {
  await using it = front();
  it.down = true;
  const token = await it.idp.token();

  assert.equal(await it.outcome(token), "503 temporarily_unavailable idp_unavailable");
  it.down = false;
  await it.idp.clock.advance(5_000);
  assert.equal(await it.outcome(token), "accepted");
});

Deno.test("a token that was accepted falls when the IdP takes its key away, and not when it adds one", async () => {
  await using it = front({ keys: [key] });
  const caller = await it.inbound.authenticate(await it.idp.token({ exp: 4e9 }));
  const another = await signingKey("RS256", "k2");
  /** Asks until newer keys have come, or cannot. */
  const afterFetching = async (...keys: SigningKey[]) => {
    it.idp.answer = () => Promise.resolve(Response.json({ keys: keys.map((each) => each.jwk) }));
    await it.idp.clock.advance(600_000);
    const before = it.fetched.length;
    for (let attempt = 0; attempt < 10 || it.fetched.length === before; attempt++) {
      assert.ok(attempt < 100);
      if (await it.inbound.revoked(caller)) return true;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return false;
  };

  assert.equal(await it.inbound.revoked(caller), false);
  assert.equal(await afterFetching(key, another), false);
  it.down = true;
  assert.equal(await afterFetching(another), false);
  it.down = false;
  assert.equal(await afterFetching(another), true);
});

Deno.test("an accepted token stands while it cannot be asked whether its key is gone", async () => {
  await using it = front({ keys: [key] });
  const caller = await it.inbound.authenticate(await it.idp.token({ exp: 4e9 }));
  const another = await signingKey("RS256", "k2");
  it.idp.answer = () => {
    it.down = true;
    return Promise.resolve(Response.json({ keys: [another.jwk] }));
  };
  await it.idp.clock.advance(600_000);

  // The new keys come; that the old one is not among them is looked up again, and cannot be.
  for (let attempt = 0; attempt < 20; attempt++) {
    assert.equal(await it.inbound.revoked(caller), false);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.ok(it.fetched.length >= 4);
});

const denyTable: [name: string, allow: Partial<AllowConfig>, claims: Record<string, unknown>][] = [
  ["another subject", { subjects: ["bob"] }, {}],
  ["a subject in another case", { subjects: ["Alice"] }, {}],
  ["an empty entry and an empty subject", { subjects: [""], emails: ["x@example.com"] }, { sub: "" }],
  ["no e-mail", { emails: ["a@example.com"] }, {}],
  ["an empty e-mail", { emails: [""] }, { email: "" }],
  ["another e-mail", { emails: ["a@example.com"] }, { email: "b@example.com" }],
  ["an e-mail that is no text", { emails: ["a@example.com"] }, { email: ["a@example.com"] }],
  ["an unverified e-mail", { emails: ["a@example.com"] }, { email: "a@example.com", email_verified: false }],
  ["an e-mail verified by word no", { emails: ["a@example.com"] }, {
    email: "a@example.com",
    email_verified: "no",
  }],
  ["an unverified e-mail on no list", {}, { email: "a@example.com", email_verified: false }],
  ["an unverified e-mail of a listed subject", { subjects: ["alice"] }, {
    email: "a@b.c",
    email_verified: "false",
  }],
  ["a look-alike domain", { domains: ["example.com"] }, { email: "a@evil-example.com" }],
  ["a domain with more behind it", { domains: ["example.com"] }, { email: "a@example.com.evil.test" }],
  ["a subdomain", { domains: ["example.com"] }, { email: "a@sub.example.com" }],
  ["two at signs", { domains: ["example.com"] }, { email: "a@evil.test@example.com" }],
  ["two at signs the other way round", { domains: ["example.com"] }, { email: "a@example.com@evil.test" }],
  ["quoted at sign", { domains: ["example.com"] }, { email: '"a@example.com"@evil.test' }],
  ["nothing before the at sign", { domains: ["example.com"] }, { email: "@example.com" }],
  ["an empty domain entry", { domains: [""] }, { email: "a@" }],
  ["another group", { groups: ["staff"] }, { groups: ["guests"] }],
  ["a group in another case", { groups: ["staff"] }, { groups: ["Staff"] }],
  ["a group of another path", { groups: ["/eng"] }, { groups: ["/other/eng"] }],
  ["a part of a group's name", { groups: ["staff"] }, { groups: ["staff-guests"] }],
  ["an empty group", { groups: [""] }, { groups: [""] }],
  ["groups that are no texts", { groups: ["1"] }, { groups: [1] }],
  ["no groups", { groups: ["staff"] }, {}],
];

for (const [name, allow, claims] of denyTable) {
  Deno.test(`nobody enters with ${name}`, async () => {
    await using it = front({ allow });

    const outcome = await it.outcome(await it.idp.token(claims));

    assert.match(
      outcome,
      /^40[13] (access_denied (not_allowed|email_not_verified)|invalid_token token_claims)$/,
    );
  });
}

Deno.test("an entry in any list is enough", async () => {
  const lists: [Partial<AllowConfig>, Record<string, unknown>][] = [
    [{ subjects: ["alice"], groups: ["x"] }, {}],
    [{ emails: ["A@Example.com"] }, { email: "a@example.COM" }],
    [{ domains: ["@Example.com"] }, { email: "a@example.com", email_verified: true }],
    [{ groups: ["x", "staff"], emails: ["z@example.com"] }, { groups: ["staff"] }],
    [{ groups: ["staff"] }, { groups: "staff" }],
  ];
  for (const [allow, claims] of lists) {
    await using it = front({ allow });
    assert.equal(await it.outcome(await it.idp.token(claims)), "accepted");
  }
});

Deno.test("a missing scope is 403 with the whole list of what is needed", async () => {
  await using it = front({
    allow: { requiredScopes: ["read", "write"] },
    config: { scopesSupported: ["openid"] },
  });

  const refused = await it.inbound.authenticate(await it.idp.token({ scope: "read" })).catch((error) =>
    error
  );

  assert.ok(refused instanceof OAuthError);
  assert.deepEqual([refused.status, refused.code], [403, "insufficient_scope"]);
  const challenge = it.inbound.challenge(refused);
  assert.match(challenge, /^Bearer error="insufficient_scope", .*scope="openid read write"/);
  assert.match(
    challenge,
    /resource_metadata="https:\/\/mcp\.example\.com\/\.well-known\/oauth-protected-resource\/mcp"/,
  );
  assert.equal(await it.outcome(await it.idp.token({ scope: "write read" })), "accepted");
});

Deno.test("a challenge names no error where nothing was sent", async () => {
  await using it = front();

  assert.equal(
    it.inbound.challenge(),
    'Bearer scope="openid email", ' +
      'resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp"',
  );
});

Deno.test("the challenge of jwt has a realm, error, description and the metadata's address", async () => {
  await using it = front({ config: { provider: "jwt" } });
  const error = await it.inbound.authenticate("x").catch((error) => error);

  const challenge = it.inbound.challenge(error);

  assert.match(
    challenge,
    /^Bearer realm="https:\/\/mcp\.example\.com\/mcp", error="invalid_token", error_description="/,
  );
  assert.match(challenge, /resource_metadata="/);
});

Deno.test("a challenge leaves offline_access to the document", async () => {
  await using it = front({ config: { scopesSupported: ["openid", "offline_access"] } });

  assert.doesNotMatch(it.inbound.challenge(), /scope=/);
  assert.deepEqual((await it.json("/.well-known/oauth-protected-resource")).scopes_supported, [
    "openid",
    "offline_access",
  ]);
});

Deno.test("keycloak: the resource's document names the realm, and we are no authorization server", async () => {
  await using it = front({ config: { issuerUrl: `${issuer}/` } });
  const expected = {
    resource: audience,
    authorization_servers: [issuer],
    scopes_supported: ["openid", "email"],
    bearer_methods_supported: ["header"],
  };

  for (const path of ["/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"]) {
    assert.deepEqual(await it.json(path), expected);
  }
  for (
    const path of [
      "/.well-known/oauth-authorization-server",
      "/register",
      "/oauth/register",
      "/authorize",
      "/token",
    ]
  ) {
    assert.equal((await it.app.request(path)).status, 404);
  }
});

Deno.test("the documents are there while the IdP is down", async () => {
  await using it = front();
  it.down = true;

  assert.deepEqual((await it.json("/.well-known/oauth-protected-resource/mcp")).authorization_servers, [
    issuer,
  ]);
});

Deno.test("keycloak: the issuer is published as its own document spells it", async () => {
  await using it = front({ discovery: { issuer: `${issuer}/` } });
  await it.inbound.ready();

  assert.deepEqual((await it.json("/.well-known/oauth-protected-resource")).authorization_servers, [
    `${issuer}/`,
  ]);
});

Deno.test("what an IdP lacks is said at start", async () => {
  const missing = async (changes: Record<string, unknown>, config: Partial<RemoteConfig> = {}) => {
    await using it = front({ discovery: changes, config });
    await it.inbound.ready();
    return it.warned().filter((reason) => reason !== "idp_reached");
  };

  assert.deepEqual(await missing({}), []);
  assert.deepEqual(await missing({ code_challenge_methods_supported: undefined }), ["no_pkce"]);
  assert.deepEqual(await missing({ code_challenge_methods_supported: ["plain"] }), ["no_pkce"]);
  assert.deepEqual(await missing({ registration_endpoint: undefined }), ["no_registration"]);
  assert.deepEqual(
    await missing({ registration_endpoint: undefined, client_id_metadata_document_supported: true }),
    [],
  );
  assert.deepEqual(await missing({ token_endpoint: undefined }), ["no_endpoints"]);
  const staticClient = { clientId: "c", clientSecret: "s" };
  assert.deepEqual(
    await missing({ registration_endpoint: undefined }, { provider: "jwt", staticClient }),
    ["static_client_is_public"],
  );
  assert.deepEqual(
    await missing({ authorization_response_iss_parameter_supported: true }, { provider: "jwt" }),
    ["issuer_in_response"],
  );
});

Deno.test("at debug a token that is let in or refused is shown, and never itself", async () => {
  await using it = front();
  const good = await it.idp.token();
  const foreign = await it.idp.token({ aud: "another" });

  await it.inbound.authenticate(good);
  await assert.rejects(it.inbound.authenticate(foreign), OAuthError);

  const shown = (event: string) => it.whispered.find((line) => line.event === event)?.fields;
  assert.equal(shown("token_accepted")?.audience, audience);
  assert.equal(shown("access_denied")?.audience, "another");
  assert.equal(shown("access_denied")?.issuer, issuer);
  assert.ok(shown("access_denied")?.reason !== undefined);
  assert.doesNotMatch(JSON.stringify(it.whispered), /eyJ/);
});
