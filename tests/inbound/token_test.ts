import assert from "node:assert/strict";
import { StoreUnavailable } from "../../lib/store/store.ts";
import {
  approve,
  authorizeQuery,
  base,
  bridgeKit,
  callbackUri,
  comeBack,
  Jar,
  type Kit,
  login,
  openConsent,
  postForm,
  redeem,
  refresh,
  registerClient,
  type TokenBody,
  verifier,
} from "./kit.ts";

/** A client with a code that was not redeemed. */
async function withCode(kit: Kit, metadata: Record<string, unknown> = {}, change = {}) {
  const client = await registerClient(kit.app, metadata);
  const jar = new Jar();
  const query = await authorizeQuery(client.client_id, change);
  const url = await comeBack(
    kit.app,
    jar,
    await approve(kit.app, jar, await openConsent(kit.app, jar, query)),
  );
  return {
    clientId: client.client_id,
    secret: client.client_secret ?? "",
    code: url.searchParams.get("code") ?? "",
  };
}

async function assertError(response: Response, status: number, error: string, reason?: string) {
  const body = await response.json();
  assert.equal(body.error, error, JSON.stringify(body));
  assert.equal(response.status, status);
  if (reason !== undefined) assert.equal(body.error_code, reason);
  assert.match(body.error_description, /^[\x20-\x7e]{5,200}$/);
  assert.match(response.headers.get("cache-control") ?? "", /^no-store/);
  assert.ok(!("access_token" in body));
}

Deno.test("the token endpoint answers a code with tokens that nobody stores", async () => {
  const kit = await bridgeKit();
  const { clientId, code } = await withCode(kit);

  const response = await redeem(kit.app, clientId, code);
  const body = await response.json();

  assert.equal(response.status, 200);
  assert.match(response.headers.get("cache-control") ?? "", /^no-store/);
  assert.equal(response.headers.get("pragma"), "no-cache");
  assert.deepEqual(Object.keys(body), ["access_token", "token_type", "expires_in", "refresh_token", "scope"]);
  assert.ok(Number.isInteger(body.expires_in));
});

const codeRefusals: readonly [string, Record<string, string>, number, string, string][] = [
  [
    "another redirect URI",
    { redirect_uri: `${callbackUri}2` },
    400,
    "invalid_grant",
    "code_redirect_mismatch",
  ],
  ["another verifier", { code_verifier: "w".repeat(43) }, 400, "invalid_grant", "code_verifier_mismatch"],
  ["no verifier", { code_verifier: "" }, 400, "invalid_request", "token_parameter_missing"],
  ["a short verifier", { code_verifier: "v".repeat(42) }, 400, "invalid_request", "verifier_malformed"],
  ["a long verifier", { code_verifier: "v".repeat(129) }, 400, "invalid_request", "verifier_malformed"],
  [
    "a verifier of other letters",
    { code_verifier: "é".repeat(43) },
    400,
    "invalid_request",
    "verifier_malformed",
  ],
  ["no code", { code: "" }, 400, "invalid_request", "token_parameter_missing"],
  ["a made-up code", { code: "x" }, 400, "invalid_grant", "code_invalid"],
  ["no grant type", { grant_type: "" }, 400, "unsupported_grant_type", "grant_type_unsupported"],
  ["the password grant", { grant_type: "password" }, 400, "unsupported_grant_type", "grant_type_unsupported"],
  ["another resource", { resource: "https://other.example/" }, 400, "invalid_target", "resource_unknown"],
  ["no client", { client_id: "" }, 400, "invalid_request", "client_id_missing"],
  ["an unknown client", { client_id: "unknown" }, 401, "invalid_client", "client_id_invalid"],
];

for (const [what, change, status, error, reason] of codeRefusals) {
  Deno.test(`the token endpoint refuses ${what}, and the code stays good`, async () => {
    const kit = await bridgeKit();
    const { clientId, code } = await withCode(kit);

    await assertError(await redeem(kit.app, clientId, code, change), status, error, reason);

    assert.equal((await redeem(kit.app, clientId, code)).status, 200);
  });
}

for (const name of ["grant_type", "code", "redirect_uri", "client_id", "code_verifier"]) {
  Deno.test(`the token endpoint refuses a second ${name}`, async () => {
    const kit = await bridgeKit();
    const { clientId, code } = await withCode(kit);
    const form: [string, string][] = [
      ["grant_type", "authorization_code"],
      ["code", code],
      ["redirect_uri", callbackUri],
      ["client_id", clientId],
      ["code_verifier", verifier],
    ];
    const repeated = form.filter(([key]) => key === name);

    await assertError(await postForm(kit.app, "/token", [...form, ...repeated]), 400, "invalid_request");
  });
}

Deno.test("the token endpoint takes a form in the body only", async () => {
  const kit = await bridgeKit();
  const { clientId, code } = await withCode(kit);
  const form = new URLSearchParams({
    grant_type: "authorization_code",
    code,
    client_id: clientId,
    redirect_uri: callbackUri,
    code_verifier: verifier,
  });

  await assertError(await kit.app.request(`/token?${form}`, { method: "POST" }), 400, "invalid_request");
  const json = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(Object.fromEntries(form)),
  };
  await assertError(await kit.app.request("/token", json), 400, "invalid_request");
  await assertError(await redeem(kit.app, clientId, code, { x: "y".repeat(70_000) }), 413, "invalid_request");
  assert.equal((await kit.app.request("/token")).status, 405);
});

Deno.test("a code is good for 60 seconds", async () => {
  const kit = await bridgeKit();
  const { clientId, code } = await withCode(kit);
  await kit.clock.advance(60_000);

  await assertError(await redeem(kit.app, clientId, code), 400, "invalid_grant", "code_expired");
});

Deno.test("a code is good for its client only", async () => {
  const kit = await bridgeKit();
  const { code } = await withCode(kit);
  const other = await registerClient(kit.app);

  const refused = await redeem(kit.app, other.client_id, code);

  await assertError(refused, 400, "invalid_grant", "code_client_mismatch");
});

Deno.test("a code that comes twice ends the login that it led to, refreshed or not", async () => {
  const kit = await bridgeKit();
  const { clientId, code, tokens } = await login(kit.app);
  const next = await (await refresh(kit.app, clientId, tokens.refresh_token)).json() as TokenBody;

  await assertError(await redeem(kit.app, clientId, code), 400, "invalid_grant", "code_replay");

  await assertError(await refresh(kit.app, clientId, tokens.refresh_token), 400, "invalid_grant");
  await assertError(
    await refresh(kit.app, clientId, next.refresh_token),
    400,
    "invalid_grant",
    "refresh_family_revoked",
  );
  await assert.rejects(kit.bridge.authenticate(next.access_token), { reason: "token_revoked" });
  await assert.rejects(kit.bridge.authenticate(tokens.access_token), { reason: "token_revoked" });
  assert.ok(
    [...kit.counters.entries()].some(({ name, labels }) =>
      name === "mcp_auth_replay_detected_total" && labels["kind"] === "code"
    ),
  );
});

Deno.test("of many requests with one code, one gets tokens", async () => {
  const kit = await bridgeKit();
  const { clientId, code } = await withCode(kit);

  const all = await Promise.all(Array.from({ length: 10 }, () => redeem(kit.app, clientId, code)));

  assert.equal(all.filter(({ status }) => status === 200).length, 1);
});

Deno.test("a verifier for a code that had no challenge is refused", async () => {
  const kit = await bridgeKit({ config: { pkceRequired: false } });
  const { clientId, code } = await withCode(kit, {}, {
    code_challenge: undefined,
    code_challenge_method: undefined,
  });

  await assertError(await redeem(kit.app, clientId, code), 400, "invalid_grant", "code_verifier_mismatch");
  assert.equal((await redeem(kit.app, clientId, code, { code_verifier: "" })).status, 200);
});

Deno.test("a code without a challenge needs its redirect URI; one with a challenge may leave it out", async () => {
  const lax = await bridgeKit({ config: { pkceRequired: false } });
  const bare = await withCode(lax, {}, { code_challenge: undefined, code_challenge_method: undefined });
  const strict = await bridgeKit();
  const bound = await withCode(strict);

  const refused = await redeem(lax.app, bare.clientId, bare.code, { code_verifier: "", redirect_uri: "" });
  const accepted = await redeem(strict.app, bound.clientId, bound.code, { redirect_uri: "" });

  await assertError(refused, 400, "invalid_request");
  assert.equal(accepted.status, 200);
});

Deno.test("a loopback client repeats the port that it asked with", async () => {
  const kit = await bridgeKit();
  const registered = { redirect_uris: ["http://127.0.0.1:3000/cb"] };
  const { clientId, code } = await withCode(kit, registered, { redirect_uri: "http://127.0.0.1:51234/cb" });

  const other = await redeem(kit.app, clientId, code, { redirect_uri: "http://127.0.0.1:3000/cb" });
  const same = await redeem(kit.app, clientId, code, { redirect_uri: "http://127.0.0.1:51234/cb" });

  await assertError(other, 400, "invalid_grant");
  assert.equal(same.status, 200);
});

Deno.test("every spelling of the resource gives a token for the one resource", async () => {
  const kit = await bridgeKit();
  for (const resource of [`${base}/mcp/`, base, `${base}/`, "https://DOOR.example:443/mcp"]) {
    const { clientId, code } = await withCode(kit);
    const tokens = await (await redeem(kit.app, clientId, code, { resource })).json() as TokenBody;
    assert.equal((await kit.bridge.authenticate(tokens.access_token)).subject, "alice");
  }
});

Deno.test("a lost store refuses a code without using it up", async () => {
  const kit = await bridgeKit();
  const { clientId, code } = await withCode(kit);
  const real = kit.parts.store.putIf;
  kit.parts.store.putIf = () => Promise.reject(new StoreUnavailable("gone"));

  const refused = await redeem(kit.app, clientId, code);
  kit.parts.store.putIf = real;

  await assertError(refused, 503, "temporarily_unavailable", "replay_store_unavailable");
  assert.ok(Number(refused.headers.get("retry-after")) > 0);
  assert.equal((await redeem(kit.app, clientId, code)).status, 200);
});

Deno.test("a store that lost the sign-in meanwhile means a new one", async () => {
  const kit = await bridgeKit();
  const { clientId, code } = await withCode(kit);
  kit.parts.store.get = () => Promise.resolve(undefined);

  await assertError(await redeem(kit.app, clientId, code), 400, "invalid_grant", "code_tokens_lost");
});

Deno.test("tickets of one purpose are nothing for another", async () => {
  const kit = await bridgeKit();
  const { clientId, code } = await withCode(kit);
  const { tokens } = await login(kit.app);
  const all = { clientId, code, access: tokens.access_token, refresh: tokens.refresh_token };

  for (const [name, ticket] of Object.entries(all)) {
    if (name !== "code") {
      assert.equal((await redeem(kit.app, clientId, ticket)).status, 400, `${name} as code`);
    }
    if (name !== "refresh") {
      assert.equal((await refresh(kit.app, clientId, ticket)).status, 400, `${name} as refresh token`);
    }
    if (name !== "clientId") {
      await assertError(await redeem(kit.app, ticket, code), 401, "invalid_client");
    }
    if (name !== "access") await assert.rejects(kit.bridge.authenticate(ticket), { code: "invalid_token" });
  }
});

Deno.test("tokens of another deployment are refused, with the same key as well", async () => {
  const url = "https://other.example";
  const other = await bridgeKit({ config: { baseUrl: url, resource: `${url}/mcp` } });
  const kit = await bridgeKit();
  const { tokens, clientId } = await login(other.app, { query: { resource: undefined } });

  await assert.rejects(kit.bridge.authenticate(tokens.access_token), { reason: "audience_mismatch" });
  await assertError(
    await refresh(kit.app, clientId, tokens.refresh_token),
    401,
    "invalid_client",
    "client_audience_mismatch",
  );
});

Deno.test("a token for another resource of the same deployment is refused", async () => {
  const kit = await bridgeKit();
  const { tokens } = await login(kit.app);
  const moved = kit.start({ config: { ...kit.config, resource: `${base}/other` } });

  await assert.rejects(moved.bridge.authenticate(tokens.access_token), { reason: "resource_mismatch" });
});

Deno.test("an access token ends with its time, and says so", async () => {
  const kit = await bridgeKit();
  const { tokens } = await login(kit.app);
  await kit.clock.advance(3_599_000);
  await kit.bridge.authenticate(tokens.access_token);
  await kit.clock.advance(1_000);

  await assert.rejects(kit.bridge.authenticate(tokens.access_token), {
    code: "invalid_token",
    status: 401,
    reason: "token_expired",
  });
  assert.ok([...kit.counters.entries()].some(({ labels }) => labels["reason"] === "token_expired"));
});

Deno.test("a token that lacks a required scope is refused with 403", async () => {
  const allow = { subjects: [], emails: [], domains: [], groups: [], requiredScopes: ["email"] };
  const kit = await bridgeKit({ config: { allow } });
  const all = await login(kit.app);
  const few = await login(kit.app, { query: { scope: "openid" } });

  assert.equal((await kit.bridge.authenticate(all.tokens.access_token)).subject, "alice");
  await assert.rejects(kit.bridge.authenticate(few.tokens.access_token), {
    code: "insufficient_scope",
    status: 403,
  });
});

Deno.test("a lost store does not stop access tokens that exist", async () => {
  const kit = await bridgeKit();
  const { tokens } = await login(kit.app);
  kit.parts.store.get = () => Promise.reject(new StoreUnavailable("gone"));

  const caller = await kit.start().bridge.authenticate(tokens.access_token);

  assert.equal(caller.subject, "alice");
  assert.equal(await kit.bridge.revoked(caller), false);
});
