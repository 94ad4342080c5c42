import assert from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import { openHttpClient } from "../../lib/base/http_client.ts";
import { type Fields, type Logger, silentLog } from "../../lib/base/log.ts";
import type { IdpConfig } from "../../lib/idp/config.ts";
import { IdpError } from "../../lib/idp/idp.ts";
import { openIdp } from "../../lib/idp/oidc.ts";
import { fakeClock } from "../fakes/clock.ts";
import { startIdp, type TestIdp } from "../fakes/idp.ts";
import { newBrowser } from "../support/browser.ts";
import { logInAt, startAttempt } from "../support/idp_login.ts";
import { heardLog } from "../support/watched_log.ts";

const fails = (kind: string, reason: string) => (error: unknown) =>
  error instanceof IdpError && error.kind === kind && error.reason === reason;

function configFor(server: TestIdp): IdpConfig {
  return {
    provider: "oidc",
    issuerUrl: server.issuer,
    clientId: server.clientId,
    clientSecret: server.clientSecret,
    scopes: ["openid", "email", "profile", "groups"],
    authorizeParameters: [],
    groupsClaim: "groups",
    allowInsecureHttp: false,
    quirks: {},
  };
}

interface Options {
  idp?: Parameters<typeof startIdp>[0];
  config?: Partial<IdpConfig>;
  log?: Logger;
}

async function open({ idp: idpOptions, config, log = silentLog }: Options = {}) {
  const server = await startIdp(idpOptions);
  const http = openHttpClient();
  const idp = openIdp({ ...configFor(server), ...config }, { http, clock: systemClock, log });
  return {
    idp,
    server,
    http,
    async [Symbol.asyncDispose]() {
      http.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

Deno.test("exchange() tells who logged in and keeps the IdP's tokens", async () => {
  await using parts = await open();

  const { identity, tokens } = await logInAt(parts.idp, "alice");

  assert.equal(identity.subject, "alice");
  assert.equal(identity.email, "alice@example.com");
  assert.equal(identity.emailVerified, true);
  assert.equal(identity.name, "Alice Example");
  assert.deepEqual(identity.groups, ["staff", "admins"]);
  assert.ok(tokens.accessToken && tokens.refreshToken && tokens.idToken);
  assert.ok((tokens.expiresAtMs ?? 0) > Date.now());
});

Deno.test("authorizeUrl() asks with PKCE, nonce and exactly the configured scopes, and lets no parameter replace them", async () => {
  await using parts = await open({
    config: { authorizeParameters: [["state", "evil"], ["domain_hint", "x"], ["prompt", "login"]] },
  });

  const { url, state, nonce } = await startAttempt(parts.idp, { selectAccount: true });

  assert.deepEqual(Object.fromEntries(url.searchParams), {
    response_type: "code",
    client_id: "doorman",
    redirect_uri: "http://127.0.0.1/callback",
    scope: "openid email profile groups",
    state,
    nonce,
    code_challenge: url.searchParams.get("code_challenge"),
    code_challenge_method: "S256",
    domain_hint: "x",
    prompt: "login",
  });
});

Deno.test("authorizeUrl() lets the user choose an account in words that the IdP knows", async () => {
  const promptOf = async (supported: string[] | undefined) => {
    await using parts = await open({
      idp: { discovery: (document) => void (document.prompt_values_supported = supported) },
    });
    return (await startAttempt(parts.idp, { selectAccount: true })).url.searchParams.get("prompt");
  };

  assert.equal(await promptOf(undefined), "login");
  assert.equal(await promptOf(["none", "login", "select_account"]), "select_account");
});

Deno.test("authorizeUrl() keeps the query that an authorization endpoint brings along", async () => {
  await using parts = await open({
    idp: {
      discovery: (document) => {
        document.authorization_endpoint += "?p=policy";
      },
    },
  });

  const { url } = await startAttempt(parts.idp);

  assert.equal(url.searchParams.get("p"), "policy");
  assert.equal(url.searchParams.get("client_id"), "doorman");
});

Deno.test("authorizeUrl() sends no browser to an endpoint that is neither https nor loopback", async () => {
  for (const endpoint of ["http://idp.example/auth", "javascript:alert(1)", "file:///etc/passwd"]) {
    await using parts = await open({
      idp: {
        discovery: (document) => {
          document.authorization_endpoint = endpoint;
        },
      },
    });
    await assert.rejects(startAttempt(parts.idp), fails("transient", "bad_endpoint"));
  }
});

Deno.test("the issuer may be typed with or without its slash, or as the address of its metadata", async () => {
  await using parts = await open();
  for (const suffix of ["/", "/.well-known/openid-configuration"]) {
    const { http, server } = parts;
    const config = { ...configFor(server), issuerUrl: server.issuer + suffix };
    const idp = openIdp(config, { http, clock: systemClock, log: silentLog });
    assert.equal((await logInAt(idp, "bob")).identity.subject, "bob");
  }
});

Deno.test("exchange() asks userinfo for what the id_token leaves out, and about nobody else", async () => {
  await using parts = await open({ config: { scopes: ["openid", "email", "profile"] } });
  const { http, server } = parts;
  let answer: Record<string, unknown> = {};
  const stripped = {
    ...http,
    fetch: async (...[input, init]: Parameters<typeof http.fetch>) =>
      new URL(input).pathname === "/me" ? Response.json(answer) : await http.fetch(input, init),
  };
  server.setUser("plain", {});
  const config = { ...configFor(server), scopes: ["openid", "email", "profile"] };
  const idp = openIdp(config, { http: stripped, clock: systemClock, log: silentLog });

  answer = { sub: "plain", email: "plain@example.com", email_verified: "true", groups: ["a"] };
  const filled = (await logInAt(idp, "plain")).identity;
  answer = { sub: "somebody else", email: "other@example.com", email_verified: true };
  const foreign = (await logInAt(idp, "plain")).identity;

  assert.deepEqual([filled.email, filled.emailVerified, filled.groups], ["plain@example.com", true, ["a"]]);
  assert.deepEqual([foreign.email, foreign.emailVerified], [undefined, undefined]);
});

Deno.test("exchange() refuses a callback of another login", async (t) => {
  await using parts = await open();
  const attempt = await startAttempt(parts.idp);
  const back = await newBrowser({ user: "alice" }).authorize(attempt.url, attempt.redirectUri);
  const calls = parts.server.calls["/token"] ?? 0;
  const tampered = (change: (parameters: URLSearchParams) => void) => {
    const parameters = new URLSearchParams(back.search);
    change(parameters);
    return parts.idp.exchange({ ...attempt, parameters });
  };

  await t.step(
    "with another state",
    () => assert.rejects(tampered((p) => p.set("state", "x")), fails("dead", "state_mismatch")),
  );
  await t.step(
    "without state",
    () => assert.rejects(tampered((p) => p.delete("state")), fails("dead", "state_mismatch")),
  );
  await t.step(
    "from another issuer",
    () =>
      assert.rejects(tampered((p) => p.set("iss", "https://evil.example")), fails("dead", "iss_mismatch")),
  );
  await t.step(
    "without the announced issuer",
    () => assert.rejects(tampered((p) => p.delete("iss")), fails("dead", "iss_missing")),
  );
  await t.step(
    "with an error",
    () => assert.rejects(tampered((p) => p.set("error", "access_denied")), fails("dead", "access_denied")),
  );
  await t.step(
    "with an odd error",
    () => assert.rejects(tampered((p) => p.set("error", "<b>")), fails("dead", "unknown_error")),
  );
  await t.step(
    "without code",
    () => assert.rejects(tampered((p) => p.delete("code")), fails("dead", "code_missing")),
  );
  await t.step(
    "with two codes",
    () => assert.rejects(tampered((p) => p.append("code", "x")), fails("dead", "code_missing")),
  );
  assert.equal(parts.server.calls["/token"] ?? 0, calls);

  await t.step("with another nonce", async () => {
    await assert.rejects(
      parts.idp.exchange({ ...attempt, nonce: "other", parameters: back.searchParams }),
      fails("dead", "nonce_mismatch"),
    );
  });
  await t.step("a second time", () =>
    assert.rejects(
      parts.idp.exchange({ ...attempt, parameters: back.searchParams }),
      fails("dead", "invalid_grant"),
    ));
});

Deno.test("exchange() refuses a wrong code verifier", async () => {
  await using parts = await open();
  const attempt = await startAttempt(parts.idp);
  const back = await newBrowser({ user: "alice" }).authorize(attempt.url, attempt.redirectUri);

  await assert.rejects(
    parts.idp.exchange({ ...attempt, codeVerifier: "x".repeat(43), parameters: back.searchParams }),
    fails("dead", "invalid_grant"),
  );
});

Deno.test("exchange() refuses the id_token of another tenant and of another hosted domain", async () => {
  await using other = await open({ config: { quirks: { tenantId: "t-1" } } });
  await assert.rejects(logInAt(other.idp, "alice"), fails("dead", "tenant_mismatch"));

  await using hosted = await open({ config: { quirks: { hostedDomain: "example.com" } } });
  await assert.rejects(logInAt(hosted.idp, "alice"), fails("dead", "hosted_domain_mismatch"));
});

Deno.test("with an audience, it is asked for and looked for in a JWT access token", async () => {
  await using good = await open({ config: { audience: "https://mcp.example" } });
  const { tokens } = await logInAt(good.idp, "alice");
  assert.equal(tokens.accessToken.split(".").length, 3);
  assert.equal(good.server.authorizeRequests.at(-1)?.get("audience"), "https://mcp.example");

  await using other = await open({
    idp: { audience: "somebody-else" },
    config: { audience: "https://mcp.example" },
  });
  await assert.rejects(logInAt(other.idp, "alice"), fails("dead", "audience_mismatch"));

  const warned: string[] = [];
  const log = heardLog({ warn: (event: string) => void warned.push(event) });
  await using opaque = await open({
    idp: { accessTokens: "opaque" },
    config: { audience: "https://mcp.example" },
    log,
  });
  await logInAt(opaque.idp, "alice");
  await logInAt(opaque.idp, "bob");
  assert.deepEqual(warned, ["idp_access_token_opaque"]);
});

Deno.test("refresh() keeps the old refresh token when none comes back, and tells who it is for", async () => {
  await using parts = await open({ idp: { rotateRefreshTokens: false } });
  const { tokens } = await logInAt(parts.idp, "alice");
  parts.server.setUser("alice", { email: "new@example.com", email_verified: true, groups: ["fewer"] });

  const refreshed = await parts.idp.refresh(tokens.refreshToken ?? "");

  assert.equal(refreshed.tokens.refreshToken, tokens.refreshToken);
  assert.notEqual(refreshed.tokens.accessToken, tokens.accessToken);
  assert.equal(refreshed.identity?.email, "new@example.com");
  assert.deepEqual(refreshed.identity?.groups, ["fewer"]);
});

Deno.test("refresh() does not lose the rotated refresh token because keys cannot be had", async () => {
  await using parts = await open();
  const { tokens } = await logInAt(parts.idp, "alice");
  parts.server.fail("/jwks", 503);
  const started = openIdp(configFor(parts.server), { http: parts.http, clock: systemClock, log: silentLog });

  const refreshed = await started.refresh(tokens.refreshToken ?? "");

  assert.notEqual(refreshed.tokens.refreshToken, tokens.refreshToken);
  assert.equal(refreshed.identity, undefined);
});

Deno.test("refresh() is dead when the id_token that comes with it is not good", async () => {
  await using parts = await open();
  const { tokens } = await logInAt(parts.idp, "alice");
  const { http, server } = parts;
  const forging = {
    ...http,
    async fetch(...[input, init]: Parameters<typeof http.fetch>) {
      const response = await http.fetch(input, init);
      if (new URL(input).pathname !== "/token") return response;
      const answer = await response.json();
      const [head, , signature] = String(answer.id_token).split(".");
      const claims = { ...JSON.parse(atob(String(answer.id_token).split(".")[1] ?? "")), sub: "root" };
      return Response.json({
        ...answer,
        id_token: `${head}.${btoa(JSON.stringify(claims)).replaceAll("=", "")}.${signature}`,
      });
    },
  };
  const idp = openIdp(configFor(server), { http: forging, clock: systemClock, log: silentLog });

  await assert.rejects(idp.refresh(tokens.refreshToken ?? ""), fails("dead", "id_token_signature"));
});

const refusals: [number | "hang" | "cut", string][] = [[503, "http_503"], [429, "http_429"], [
  "cut",
  "idp_unreachable",
]];
for (const [how, reason] of refusals) {
  Deno.test(`refresh() is transient when the IdP answers ${how}`, async () => {
    await using parts = await open();
    const { tokens } = await logInAt(parts.idp, "alice");
    parts.server.fail("/token", how as 503);

    await assert.rejects(parts.idp.refresh(tokens.refreshToken ?? ""), fails("transient", reason));

    parts.server.fail("/token", undefined);
    assert.ok((await parts.idp.refresh(tokens.refreshToken ?? "")).tokens.accessToken);
  });
}

Deno.test("refresh() is dead when the grant was revoked or the user is gone", async () => {
  await using parts = await open();
  const first = (await logInAt(parts.idp, "alice")).tokens.refreshToken ?? "";
  parts.server.revokeGrants("alice");
  await assert.rejects(parts.idp.refresh(first), fails("dead", "invalid_grant"));

  const second = (await logInAt(parts.idp, "bob")).tokens.refreshToken ?? "";
  await parts.idp.revoke(second);
  await assert.rejects(parts.idp.refresh(second), fails("dead", "invalid_grant"));
});

Deno.test("a refused client is the operator's trouble, not the end of anybody's grant", async () => {
  const errors: [string, Fields | undefined][] = [];
  const log = heardLog({ error: (event: string, fields?: Fields) => void errors.push([event, fields]) });
  await using parts = await open({ config: { clientSecret: "wrong" }, log });

  await assert.rejects(parts.idp.refresh("whatever"), fails("transient", "client_refused"));

  assert.equal(errors[0]?.[0], "idp_refuses_client");
  assert.match(errors[0]?.[1]?.hint ?? "", /client id and secret/);
  assert.doesNotMatch(JSON.stringify(errors), /wrong/);
});

Deno.test("an IdP that is down at start heals by itself, and is not asked more than once a second", async () => {
  const server = await startIdp();
  await server.down();
  const http = openHttpClient();
  const clock = fakeClock(Date.now());
  let asked = 0;
  const counting = {
    ...http,
    fetch: (...parameters: Parameters<typeof http.fetch>) => {
      asked++;
      return http.fetch(...parameters);
    },
  };
  try {
    const idp = openIdp(configFor(server), { http: counting, clock, log: silentLog });
    let ready = false;
    const whenReady = idp.ready().then(() => ready = true);

    for (let call = 0; call < 5; call++) {
      await assert.rejects(startAttempt(idp), fails("transient", "idp_unreachable"));
    }
    const perDiscovery = 2;
    assert.equal(asked, perDiscovery);
    assert.equal(ready, false);

    await server.up();
    await clock.advance(1_000);
    await whenReady;
    assert.ok((await startAttempt(idp)).url.href.startsWith(server.issuer));
    await idp.ready();
  } finally {
    http.close();
    await server[Symbol.asyncDispose]();
  }
});

Deno.test("ready() ends with its signal", async () => {
  await using parts = await open();
  await parts.server.down();
  const stop = new AbortController();
  const { http, server } = parts;
  const context = { http, clock: systemClock, log: silentLog, signal: stop.signal };
  const idp = openIdp(configFor(server), context);

  const waiting = idp.ready();
  stop.abort(new Error("shutting down"));

  await assert.rejects(waiting, /shutting down/);
  await server.up();
});
