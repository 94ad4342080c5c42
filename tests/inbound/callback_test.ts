import assert from "node:assert/strict";
import { IdpError, WrongOrganization } from "../../lib/idp/idp.ts";
import { StoreUnavailable } from "../../lib/store/store.ts";
import type { BridgeConfig } from "../../lib/inbound/config.ts";
import {
  approve,
  authorizeQuery,
  base,
  bridgeKit,
  callbackUri,
  comeBack,
  continuation,
  Jar,
  type Kit,
  openConsent,
  redeem,
  registerClient,
} from "./kit.ts";

async function atIdp(kit: Kit, metadata: Record<string, unknown> = {}, change = {}) {
  const jar = new Jar();
  const { client_id: clientId } = await registerClient(kit.app, metadata);
  const token = await openConsent(kit.app, jar, await authorizeQuery(clientId, change));
  const url = await approve(kit.app, jar, token);
  return { jar, clientId, url, state: url.searchParams.get("state") ?? "" };
}

async function back(kit: Kit, jar: Jar, parameters: Record<string, string> | [string, string][]) {
  return await kit.app.request(`/auth/callback?${new URLSearchParams(parameters)}`, {
    headers: jar.headers(),
  });
}

/** No code in what a browser was given, and nothing that takes it anywhere by itself. */
async function assertPage(response: Response, status: number): Promise<string> {
  const html = await response.text();
  assert.equal(response.status, status, html);
  assert.equal(response.headers.get("location"), null);
  assert.doesNotMatch(html, /http-equiv="refresh"/);
  assert.doesNotMatch(html, /[?&;]code=/);
  return html;
}

Deno.test("the callback hands the client a code by a page, with state and issuer", async () => {
  const kit = await bridgeKit();
  const { jar, state } = await atIdp(kit);

  const response = await back(kit, jar, { code: "idp-code", state });
  const html = await response.text();
  const url = continuation(html);

  assert.equal(response.status, 200);
  assert.equal(response.headers.get("location"), null);
  assert.match(html, /http-equiv="refresh" content="0;url=https:\/\/client\.example\/callback\?code=/);
  assert.match(html, /alice@example\.com/);
  assert.equal(url.origin + url.pathname, callbackUri);
  assert.equal(url.searchParams.get("state"), "the-state");
  assert.equal(url.searchParams.get("iss"), base);
  assert.ok((url.searchParams.get("code")?.length ?? 0) < 1_000);
});

Deno.test("the callback opens an application's own scheme by a button only", async () => {
  const kit = await bridgeKit();
  const uri = "cursor://anysphere.cursor-mcp/oauth/callback";
  const { jar, state } = await atIdp(kit, { redirect_uris: [uri] }, { redirect_uri: uri });

  const html = await (await back(kit, jar, { code: "idp-code", state })).text();

  assert.match(html, /id="continue" href="cursor:\/\/anysphere\.cursor-mcp\/oauth\/callback\?code=/);
  assert.doesNotMatch(html, /http-equiv="refresh"/);
});

Deno.test("an attacker's approved login gives nothing in a second browser", async () => {
  const kit = await bridgeKit();
  const attacker = await atIdp(kit);
  const victim = await atIdp(kit);

  for (const jar of [victim.jar, new Jar()]) {
    await assertPage(await back(kit, jar, { code: "victims-code", state: attacker.state }), 400);
  }
  assert.equal(kit.idp.calls.exchange, 0);
});

Deno.test("the callback refuses a state that is missing, wrong, of another purpose or too old", async () => {
  const kit = await bridgeKit();
  const { jar, state, clientId } = await atIdp(kit);

  for (const wrong of ["", "x", `${state}x`, `A${state.slice(1)}`, clientId]) {
    await assertPage(await back(kit, jar, { code: "idp-code", state: wrong }), 400);
  }
  await assertPage(await back(kit, jar, { code: "idp-code" }), 400);
  await assertPage(await back(kit, jar, { state }), 400);
  await kit.clock.advance(600_000);
  await assertPage(await back(kit, jar, { code: "idp-code", state }), 400);
  assert.equal(kit.idp.calls.exchange, 0);
});

for (const name of ["code", "state", "error", "iss"]) {
  Deno.test(`the callback refuses a second ${name}`, async () => {
    const kit = await bridgeKit();
    const { jar, state } = await atIdp(kit);

    const all: [string, string][] = [["code", "c"], ["state", state], [name, "again"], [name, "again"]];
    await assertPage(await back(kit, jar, all), 400);
    assert.equal(kit.idp.calls.exchange, 0);
  });
}

Deno.test("a state works once; the same browser may begin again from the page", async () => {
  const kit = await bridgeKit();
  const { jar, state, clientId } = await atIdp(kit);
  await back(kit, jar, { code: "idp-code", state });

  const html = await assertPage(await back(kit, jar, { code: "idp-code", state }), 400);
  const again = continuation(html, "again");
  const client = await comeBack(kit.app, jar, again);

  assert.equal(kit.idp.calls.exchange, 2);
  assert.equal(again.origin, "https://idp.example");
  assert.equal((await redeem(kit.app, clientId, client.searchParams.get("code") ?? "")).status, 200);
});

Deno.test("a login can be begun again five times, not for ever", async () => {
  const kit = await bridgeKit();
  const { jar, url } = await atIdp(kit);
  kit.idp.failing = undefined;
  let at: URL = url;
  for (let turn = 0; turn < 5; turn++) {
    const real = kit.idp.exchange;
    kit.idp.exchange = () => Promise.reject(new IdpError("transient", "idp_unreachable", "down"));
    const response = await back(kit, jar, { code: "c", state: at.searchParams.get("state") ?? "" });
    kit.idp.exchange = real;
    at = continuation(await assertPage(response, 503), "again");
    assert.equal(at.origin, "https://idp.example");
  }
  kit.idp.exchange = () => Promise.reject(new IdpError("transient", "idp_unreachable", "down"));

  const html = await assertPage(
    await back(kit, jar, { code: "c", state: at.searchParams.get("state") ?? "" }),
    503,
  );

  assert.equal(continuation(html, "back").origin, "https://client.example");
  assert.ok(!html.includes('id="again"'));
});

Deno.test("of many callbacks with one state, one gets a code", async () => {
  const kit = await bridgeKit();
  const { jar, state } = await atIdp(kit);

  const all = await Promise.all(
    Array.from({ length: 10 }, () => back(kit, jar, { code: "idp-code", state })),
  );

  assert.equal(all.filter(({ status }) => status === 200).length, 1);
  assert.equal(kit.idp.calls.exchange, 1);
});

for (
  const [said, passed] of [
    ["access_denied", "access_denied"],
    ["temporarily_unavailable", "temporarily_unavailable"],
    ["login_required", "server_error"],
    ["<script>alert(1)</script>", "server_error"],
    ["", "server_error"],
  ] as const
) {
  Deno.test(`an IdP that answers "${said}" becomes ${passed} for the client, in words of ours`, async () => {
    const kit = await bridgeKit();
    const { jar, state } = await atIdp(kit);
    const writes = kit.parts.store.putIf;
    kit.parts.store.putIf = () => Promise.reject(new Error("nothing may be used up"));

    const response = await back(kit, jar, { error: said, error_description: "<b>phish</b> call 555", state });
    const html = await response.text();
    const url = continuation(html);
    kit.parts.store.putIf = writes;

    assert.equal(response.status, 200);
    assert.equal(url.searchParams.get("error"), passed);
    assert.equal(url.searchParams.get("state"), "the-state");
    assert.equal(url.searchParams.get("iss"), base);
    assert.ok(!html.includes("phish") && !html.includes("555") && !html.includes("<script"));
  });
}

Deno.test("an IdP's error without a state of this browser goes nowhere", async () => {
  const kit = await bridgeKit();
  const { state } = await atIdp(kit);

  await assertPage(await back(kit, new Jar(), { error: "access_denied", state }), 400);
  await assertPage(await back(kit, new Jar(), { error: "access_denied" }), 400);
});

type Setup = (kit: Kit) => void;

const denials: readonly [string, Partial<BridgeConfig>, Setup, string][] = [
  [
    "without a subject",
    {},
    (kit) => kit.idp.identity = { ...kit.idp.identity, subject: "" },
    "subject_missing",
  ],
  [
    "with an unverified address",
    {},
    (kit) => kit.idp.identity = { ...kit.idp.identity, emailVerified: false },
    "email_unverified",
  ],
  [
    "in a group with a comma",
    {},
    (kit) => kit.idp.identity = { ...kit.idp.identity, groups: ["a,b"] },
    "group_invalid",
  ],
  [
    "in a group with a break",
    {},
    (kit) => kit.idp.identity = { ...kit.idp.identity, groups: ["a\r\nb"] },
    "group_invalid",
  ],
  ["in no allowed group", { allow: { ...none(), groups: ["admins"] } }, () => {}, "group"],
  ["of another domain", { allow: { ...none(), domains: ["other.example"] } }, () => {}, "group"],
  [
    "not on the list",
    { allow: { ...none(), subjects: ["bob"], emails: ["bob@example.com"] } },
    () => {},
    "group",
  ],
];

function none() {
  return { subjects: [], emails: [], domains: [], groups: [], requiredScopes: [] };
}

for (const [who, config, setup, reason] of denials) {
  Deno.test(`a user ${who} gets a page that says so, and the way back carries access_denied`, async () => {
    const kit = await bridgeKit({ config });
    setup(kit);
    const { jar, state } = await atIdp(kit);

    const html = await assertPage(await back(kit, jar, { code: "idp-code", state }), 403);

    assert.match(html, /No access/);
    assert.match(html, /signed in as <strong>alice@example\.com/);
    assert.match(html, /Use another account/);
    const url = continuation(html, "back");
    assert.equal(url.searchParams.get("error"), "access_denied");
    assert.equal(url.searchParams.get("iss"), base);
    assert.equal(kit.idp.last?.selectAccount, true);
    const counted = [...kit.counters.entries()].filter(({ name }) => name === "mcp_auth_access_denied_total");
    assert.deepEqual(counted.map(({ labels }) => labels["reason"]), [reason]);
  });
}

Deno.test("the page of somebody on no list says what is looked for, and no entry of a list", async () => {
  const allow = { ...none(), domains: ["secret-partner.example"], groups: ["admins"] };
  const kit = await bridgeKit({ config: { allow } });
  const { jar, state } = await atIdp(kit);

  const html = await assertPage(await back(kit, jar, { code: "idp-code", state }), 403);

  assert.match(html, /the domain of its verified e-mail address, or a group that it is in must be on/);
  assert.doesNotMatch(html, /the account itself|secret-partner|admins/);
});

Deno.test("somebody of another organization is told as whom, and may choose another account", async () => {
  const kit = await bridgeKit();
  const { jar, state } = await atIdp(kit);
  const wrong = new WrongOrganization("tenant_mismatch", "another tid", "eve@other.example");
  kit.idp.exchange = () => Promise.reject(wrong);

  const html = await assertPage(await back(kit, jar, { code: "idp-code", state }), 403);

  assert.match(html, /No access/);
  assert.match(html, /for accounts of another organization/);
  assert.match(html, /signed in as <strong>eve@other\.example/);
  assert.match(html, /Use another account/);
  assert.equal(kit.idp.last?.selectAccount, true);
  assert.equal(continuation(html, "back").searchParams.get("error"), "access_denied");
});

for (
  const [who, allow] of [
    ["subject", { subjects: ["alice"] }],
    ["address", { emails: ["Alice@Example.com"] }],
    ["domain", { domains: ["example.COM"] }],
    ["group", { groups: ["staff"] }],
    ["group, though the address is on no list", { groups: ["staff"], emails: ["bob@example.com"] }],
  ] as const
) {
  Deno.test(`a user on the list by ${who} comes in`, async () => {
    const kit = await bridgeKit({ config: { allow: { ...none(), ...allow } } });
    const { jar, url } = await atIdp(kit);

    await comeBack(kit.app, jar, url);
  });
}

Deno.test("an address whose verification the IdP does not mention is good enough", async () => {
  const kit = await bridgeKit();
  const { emailVerified: _, ...identity } = kit.idp.identity;
  kit.idp.identity = identity;
  const { jar, url } = await atIdp(kit);

  await comeBack(kit.app, jar, url);
});

Deno.test("a groups claim of another shape is counted and means no groups", async () => {
  const kit = await bridgeKit();
  kit.idp.identity = { ...kit.idp.identity, groups: [], groupsMalformed: true };
  const { jar, url } = await atIdp(kit);

  await comeBack(kit.app, jar, url);

  assert.ok(
    [...kit.counters.entries()].some(({ name }) => name === "mcp_auth_groups_claim_shape_mismatch_total"),
  );
});

for (
  const [reason, status] of [["nonce_mismatch", 502], ["id_token_signature", 502], [
    "invalid_grant",
    502,
  ]] as const
) {
  Deno.test(`an IdP's answer that is refused (${reason}) gives a page without a code`, async () => {
    const kit = await bridgeKit();
    const { jar, state } = await atIdp(kit);
    kit.idp.exchange = () => Promise.reject(new IdpError("dead", reason, "secret detail of the IdP"));

    const html = await assertPage(await back(kit, jar, { code: "idp-code", state }), status);

    assert.ok(!html.includes("secret detail"));
  });
}

Deno.test("a throttled callback uses nothing up, so that a reload works", async () => {
  const kit = await bridgeKit({ config: { idpExchange: { ratePerSec: 1, burst: 1 } } });
  const first = await atIdp(kit);
  const second = await atIdp(kit);
  await comeBack(kit.app, first.jar, first.url);

  const refused = await back(kit, second.jar, { code: "idp-code", state: second.state });
  await kit.clock.advance(1_000);
  const reloaded = await back(kit, second.jar, { code: "idp-code", state: second.state });

  await assertPage(refused, 503);
  assert.equal(refused.headers.get("retry-after"), "1");
  assert.equal(reloaded.status, 200);
  assert.ok([...kit.counters.entries()].some(({ name }) => name === "mcp_auth_idp_exchange_throttled_total"));
});

Deno.test("the callback fails closed when the store is lost", async () => {
  const kit = await bridgeKit();
  const { jar, state } = await atIdp(kit);
  kit.parts.store.putIf = () => Promise.reject(new StoreUnavailable("gone"));

  await assertPage(await back(kit, jar, { code: "idp-code", state }), 503);
  assert.equal(kit.idp.calls.exchange, 0);
});

Deno.test("after a login the consent page knows who signed in here last", async () => {
  const kit = await bridgeKit();
  const { jar, url, clientId } = await atIdp(kit);
  await comeBack(kit.app, jar, url);

  const page = await kit.app.request(`/authorize?${await authorizeQuery(clientId)}`, {
    headers: jar.headers(),
  });

  assert.match(await page.text(), /last signed in here as <strong>alice@example\.com/);
});

Deno.test("a program that follows the flow gets JSON for errors", async () => {
  const kit = await bridgeKit();

  const response = await kit.app.request("/auth/callback?code=x");

  assert.equal(response.status, 400);
  assert.equal((await response.json()).error, "invalid_request");
});
