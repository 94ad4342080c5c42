import assert from "node:assert/strict";
import { IdpError } from "../../lib/idp/idp.ts";
import { StoreUnavailable } from "../../lib/store/store.ts";
import {
  approve,
  authorizeQuery,
  base,
  bridgeKit,
  callbackUri,
  consentToken,
  continuation,
  Jar,
  type Kit,
  openConsent,
  postForm,
  registerClient,
} from "./kit.ts";

async function opened(kit: Kit, metadata: Record<string, unknown> = {}, change = {}) {
  const jar = new Jar();
  const { client_id } = await registerClient(kit.app, metadata);
  const query = await authorizeQuery(client_id, change);
  return { jar, query, token: await openConsent(kit.app, jar, query) };
}

async function decide(kit: Kit, jar: Jar, form: Record<string, string> | [string, string][]) {
  return await postForm(kit.app, "/consent", form, jar.headers());
}

Deno.test("the consent page names client, server, scopes and destination, with Deny first and no script", async () => {
  const kit = await bridgeKit({ config: { resourceName: "Notes", logoText: "AC" } });
  const { client_id } = await registerClient(kit.app, { client_name: '<b>Evil</b> & "Co"' });

  const response = await kit.app.request(`/authorize?${await authorizeQuery(client_id)}`);
  const page = await response.text();

  assert.match(page, /&lt;b&gt;Evil&lt;\/b&gt; &amp; &quot;Co&quot;/);
  assert.ok(!page.includes("<b>Evil"));
  assert.match(page, /Notes/);
  assert.match(page, /<span class="badge" aria-hidden="true">AC<\/span>Notes/);
  assert.match(page, /client\.example/);
  assert.match(page, /<li>openid<\/li>/);
  assert.ok(
    page.indexOf('value="deny"') > 0 && page.indexOf('value="deny"') < page.indexOf('value="approve"'),
  );
  assert.doesNotMatch(page, /<script|onclick|javascript:|src=|@import|url\(/i);
  assert.match(page, /<form method="post" action="consent">/);
  assert.match(page, /<html lang="en">/);
});

Deno.test("the consent page is stored by nobody, framed by nobody and runs nothing", async () => {
  const kit = await bridgeKit();
  const { client_id } = await registerClient(kit.app);

  const { headers } = await kit.app.request(`/authorize?${await authorizeQuery(client_id)}`);

  assert.match(
    headers.get("content-security-policy") ?? "",
    /^default-src 'none'; style-src 'sha256-[\w+/]{43}='; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
  );
  assert.equal(headers.get("x-frame-options"), "DENY");
  assert.equal(headers.get("referrer-policy"), "no-referrer");
  assert.equal(headers.get("x-content-type-options"), "nosniff");
  assert.match(headers.get("cache-control") ?? "", /^no-store/);
  assert.equal(headers.get("pragma"), "no-cache");
});

Deno.test("the style sheet is the one whose digest is in the policy", async () => {
  const kit = await bridgeKit();
  const { client_id } = await registerClient(kit.app);
  const response = await kit.app.request(`/authorize?${await authorizeQuery(client_id)}`);
  const [, style = ""] = /<style>([^]*?)<\/style>/.exec(await response.text()) ?? [];

  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(style));

  assert.ok(response.headers.get("content-security-policy")?.includes(new Uint8Array(digest).toBase64()));
});

for (
  const [uri, words] of [
    ["http://127.0.0.1:3000/cb", /this computer \(127\.0\.0\.1:3000\)/],
    ["cursor://anysphere.cursor-mcp/oauth/callback", /an application on this device \(cursor\)/],
  ] as const
) {
  Deno.test(`the consent page warns where the answer goes to a program on the device: ${uri}`, async () => {
    const kit = await bridgeKit();
    const { client_id } = await registerClient(kit.app, { redirect_uris: [uri] });

    const page =
      await (await kit.app.request(`/authorize?${await authorizeQuery(client_id, { redirect_uri: uri })}`))
        .text();

    assert.match(page, words);
    assert.match(page, /could use any name/);
  });
}

Deno.test("approval goes on by a page to the IdP, and only then is anything made for the IdP", async () => {
  const kit = await bridgeKit();
  const { jar, token } = await opened(kit);
  assert.equal(kit.idp.calls.authorize, 0);

  const response = await decide(kit, jar, { consent_token: token, action: "approve" });
  const page = await response.text();

  assert.equal(response.status, 200);
  assert.equal(response.headers.get("location"), null);
  assert.match(page, /<meta http-equiv="refresh" content="0;url=https:\/\/idp\.example\/authorize\?state=/);
  assert.match(response.headers.get("content-security-policy") ?? "", /form-action 'none'/);
  assert.equal(kit.idp.calls.authorize, 1);
  assert.match(kit.idp.last?.codeChallenge ?? "", /^[\w-]{43}$/);
  assert.ok((kit.idp.last?.nonce.length ?? 0) >= 22);
});

Deno.test("two logins have nothing in common toward the IdP", async () => {
  const kit = await bridgeKit();
  const seen = [];
  for (let turn = 0; turn < 2; turn++) {
    const { jar, token } = await opened(kit);
    await approve(kit.app, jar, token);
    seen.push({ ...kit.idp.last });
  }

  const [a, b] = seen;
  assert.notEqual(a?.nonce, b?.nonce);
  assert.notEqual(a?.codeChallenge, b?.codeChallenge);
  assert.notEqual(a?.state, b?.state);
});

Deno.test("'use another account' asks the IdP to let the user choose", async () => {
  const kit = await bridgeKit();
  const { jar, token } = await opened(kit);

  await approve(kit.app, jar, token, "switch");

  assert.equal(kit.idp.last?.selectAccount, true);
});

Deno.test("denial goes back to the client by a page, as access_denied with state and issuer", async () => {
  const kit = await bridgeKit();
  const { jar, token } = await opened(kit);

  const response = await decide(kit, jar, { consent_token: token, action: "deny" });
  const url = continuation(await response.text());

  assert.equal(response.status, 200);
  assert.equal(url.origin + url.pathname, callbackUri);
  assert.equal(url.searchParams.get("error"), "access_denied");
  assert.equal(url.searchParams.get("state"), "the-state");
  assert.equal(url.searchParams.get("iss"), base);
  assert.equal(kit.idp.calls.authorize, 0);
  const denied = [...kit.counters.entries()];
  assert.deepEqual(denied.find(({ name }) => name === "mcp_auth_consent_decisions_total")?.labels, {
    decision: "denied",
  });
  assert.ok(!denied.some(({ name }) => name === "mcp_auth_access_denied_total"));
});

Deno.test("a consent form works only in the browser that opened it", async () => {
  const kit = await bridgeKit();
  const attacker = await opened(kit);
  const victim = await opened(kit);

  for (const jar of [victim.jar, new Jar()]) {
    const response = await decide(kit, jar, { consent_token: attacker.token, action: "approve" });
    assert.equal(response.status, 403);
    assert.equal(response.headers.get("location"), null);
  }
  assert.equal(kit.idp.calls.authorize, 0);
  // Nothing was used up: its own browser may still answer.
  await approve(kit.app, attacker.jar, attacker.token);
});

Deno.test("a consent form that was sent before is shown again with a new form and the old end", async () => {
  const kit = await bridgeKit();
  const { jar, token } = await opened(kit);
  await approve(kit.app, jar, token);
  await kit.clock.advance(300_000);

  const response = await decide(kit, jar, { consent_token: token, action: "approve" });
  const page = await response.text();
  const next = consentToken(page);

  assert.equal(response.status, 200);
  assert.match(page, /was sent before/);
  assert.notEqual(next, token);
  assert.equal(kit.idp.calls.authorize, 1);
  await kit.clock.advance(300_001);
  assert.equal((await decide(kit, jar, { consent_token: next, action: "approve" })).status, 400);
});

Deno.test("the used mark is set before a denial as well", async () => {
  const kit = await bridgeKit();
  const { jar, token } = await opened(kit);
  await decide(kit, jar, { consent_token: token, action: "deny" });

  const again = await decide(kit, jar, { consent_token: token, action: "approve" });

  assert.match(await again.text(), /was sent before/);
  assert.equal(kit.idp.calls.authorize, 0);
});

Deno.test("a consent form ends with its time", async () => {
  const kit = await bridgeKit();
  const { jar, token } = await opened(kit);
  await kit.clock.advance(600_000);

  const response = await decide(kit, jar, { consent_token: token, action: "approve" });

  assert.equal(response.status, 400);
});

Deno.test("consent refuses forms that are incomplete, repeated, foreign or in the URL", async () => {
  const kit = await bridgeKit();
  const { jar, token, query } = await opened(kit);
  const foreign = await bridgeKit({
    config: { baseUrl: "https://other.example", resource: "https://other.example/mcp" },
  });
  const other = await opened(foreign, {}, { resource: undefined });
  const bodies: [string, string][][] = [
    [],
    [["consent_token", token]],
    [["action", "approve"]],
    [["consent_token", token], ["action", "yes"]],
    [["consent_token", token], ["consent_token", token], ["action", "approve"]],
    [["consent_token", token], ["action", "deny"], ["action", "approve"]],
    [["consent_token", `${token}x`], ["action", "approve"]],
    [["consent_token", query.get("client_id") ?? ""], ["action", "approve"]],
    [["consent_token", other.token], ["action", "approve"]],
  ];

  for (const body of bodies) {
    const response = await decide(kit, jar, body);
    assert.equal(response.status, 400, JSON.stringify(body));
  }
  const inUrl = await postForm(
    kit.app,
    "/consent?x=1",
    { consent_token: token, action: "approve" },
    jar.headers(),
  );
  const asJson = await kit.app.request("/consent", {
    method: "POST",
    headers: { ...jar.headers(), "content-type": "application/json" },
    body: JSON.stringify({ consent_token: token, action: "approve" }),
  });
  const credentials = await postForm(kit.app, "/consent", { consent_token: token, action: "approve" }, {
    ...jar.headers(),
    authorization: "Basic eDp5",
  });
  assert.equal(credentials.status, 400);
  const large = await decide(kit, jar, { consent_token: "x".repeat(70_000), action: "approve" });
  assert.deepEqual([inUrl.status, asJson.status, large.status], [400, 400, 413]);
  assert.equal(kit.idp.calls.authorize, 0);
  assert.equal((await kit.app.request("/consent", { headers: jar.headers() })).status, 405);
});

Deno.test("consent fails closed when the store is lost", async () => {
  const kit = await bridgeKit();
  const { jar, token } = await opened(kit);
  kit.parts.store.putIf = () => Promise.reject(new StoreUnavailable("gone"));

  const response = await decide(kit, jar, { consent_token: token, action: "approve" });

  assert.equal(response.status, 503);
  assert.ok(Number(response.headers.get("retry-after")) > 0);
  assert.equal(kit.idp.calls.authorize, 0);
});

Deno.test("an IdP that is away costs no new start: the page comes again and works later", async () => {
  const kit = await bridgeKit();
  const { jar, token } = await opened(kit);
  kit.idp.failing = new IdpError("transient", "idp_unreachable", "down");

  const response = await decide(kit, jar, { consent_token: token, action: "approve" });
  const page = await response.text();
  kit.idp.failing = undefined;

  assert.equal(response.status, 503);
  assert.equal(response.headers.get("retry-after"), "5");
  assert.match(page, /cannot be reached now/);
  await approve(kit.app, jar, consentToken(page));
});

Deno.test("one browser may have several logins open", async () => {
  const kit = await bridgeKit();
  const { client_id } = await registerClient(kit.app);
  const jar = new Jar();
  const first = await openConsent(kit.app, jar, await authorizeQuery(client_id));
  const second = await openConsent(kit.app, jar, await authorizeQuery(client_id));

  await approve(kit.app, jar, first);
  await approve(kit.app, jar, second);

  assert.equal(kit.idp.calls.authorize, 2);
});

Deno.test("a cookie that is not ours is replaced", async () => {
  const kit = await bridgeKit();
  const { client_id } = await registerClient(kit.app);
  const jar = new Jar();
  jar.cookie = "__Host-doorman=fixed-by-somebody";

  const token = await openConsent(kit.app, jar, await authorizeQuery(client_id));

  assert.notEqual(jar.cookie, "__Host-doorman=fixed-by-somebody");
  await approve(kit.app, jar, token);
});
