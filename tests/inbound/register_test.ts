import assert from "node:assert/strict";
import { OAuthClientInformationFullSchema } from "@modelcontextprotocol/sdk/shared/auth.js";
import {
  approve,
  authorizeQuery,
  bridgeKit,
  callbackUri,
  comeBack,
  Jar,
  openConsent,
  postJson,
  redeem,
  refresh,
  registerClient,
} from "./kit.ts";
import { clientBodies } from "./client_bodies.ts";

for (const { client, body, asks, refused = [], method } of clientBodies) {
  Deno.test(`register: ${client} gets an answer that its SDK reads, and may then begin a login`, async () => {
    const { app } = await bridgeKit();

    const response = await postJson(app, "/register", body);
    const answer = await response.json();
    const expected = method ?? body["token_endpoint_auth_method"];

    assert.equal(response.status, 201, JSON.stringify(answer));
    assert.equal(response.headers.get("cache-control"), "no-store, no-transform");
    assert.equal(response.headers.get("pragma"), "no-cache");
    assert.ok(OAuthClientInformationFullSchema.safeParse(answer).success);
    assert.equal(answer.token_endpoint_auth_method, expected);
    assert.equal("client_secret" in answer, expected !== "none");
    if (expected !== "none") assert.equal(answer.client_secret_expires_at, 0);
    const uris = body["redirect_uris"] as string[];
    assert.deepEqual(answer.redirect_uris, uris.filter((uri) => !refused.includes(uri)));
    assert.ok(Object.values(answer).every((value) => value !== null && value !== ""), JSON.stringify(answer));
    assert.equal(answer.client_name, body["client_name"]);

    const query = await authorizeQuery(answer.client_id, { redirect_uri: asks });
    const page = await app.request(`/authorize?${query}`, { headers: { accept: "text/html" } });
    assert.equal(page.status, 200, await page.text());
    assert.ok(`https://door.example/authorize?${query}`.length < 4_096);
  });
}

Deno.test("register: the largest real registration gives short addresses here and at the IdP", async () => {
  const { app, idp } = await bridgeKit();
  const largest = clientBodies.find(({ client }) => client === "VS Code")?.body;
  const { client_id } = await registerClient(app, largest);
  const { Jar, approve, openConsent } = await import("./kit.ts");

  const query = await authorizeQuery(client_id, {
    redirect_uri: "http://127.0.0.1:51001/",
    state: "s".repeat(64),
  });
  const jar = new Jar();
  const url = await approve(app, jar, await openConsent(app, jar, query));

  assert.ok(`https://door.example/authorize?${query}`.length < 2_048);
  assert.ok(url.href.length < 2_048, String(url.href.length));
  assert.ok((idp.last?.state.length ?? 0) < 1_900);
});

const refusals: readonly [string, unknown, string][] = [
  ["no list", { client_name: "x" }, "invalid_redirect_uri"],
  ["an empty list", { redirect_uris: [] }, "invalid_redirect_uri"],
  ["a list of something else", { redirect_uris: [1] }, "invalid_redirect_uri"],
  ["a thousand URIs", { redirect_uris: Array(1000).fill("https://a.example/") }, "invalid_redirect_uri"],
  ["a script", { redirect_uris: ["javascript:alert(1)"] }, "invalid_redirect_uri"],
  ["data", { redirect_uris: ["data:text/html,x"] }, "invalid_redirect_uri"],
  ["a file", { redirect_uris: ["file:///etc/passwd"] }, "invalid_redirect_uri"],
  ["a blob", { redirect_uris: ["blob:https://a.example/1"] }, "invalid_redirect_uri"],
  ["vbscript", { redirect_uris: ["VBScript:x"] }, "invalid_redirect_uri"],
  ["an unknown scheme", { redirect_uris: ["evil-app://cb"] }, "invalid_redirect_uri"],
  ["a fragment", { redirect_uris: ["https://a.example/#x"] }, "invalid_redirect_uri"],
  ["a bare fragment", { redirect_uris: ["https://a.example/#"] }, "invalid_redirect_uri"],
  ["user information", { redirect_uris: ["https://u:p@a.example/"] }, "invalid_redirect_uri"],
  ["a disguised loopback", { redirect_uris: ["http://127.0.0.1@evil.example/"] }, "invalid_redirect_uri"],
  ["a loopback look-alike", { redirect_uris: ["http://localhost.evil.example/"] }, "invalid_redirect_uri"],
  ["http", { redirect_uris: ["http://a.example/"] }, "invalid_redirect_uri"],
  ["no host", { redirect_uris: ["https:///cb"] }, "invalid_redirect_uri"],
  ["a wildcard", { redirect_uris: ["https://*.example/"] }, "invalid_redirect_uri"],
  ["white space", { redirect_uris: ["https://a.example/ b"] }, "invalid_redirect_uri"],
  ["a line break", { redirect_uris: ["https://a.example/\r\nx"] }, "invalid_redirect_uri"],
  [
    "a URI of 600 characters",
    { redirect_uris: [`https://a.example/${"x".repeat(600)}`] },
    "invalid_redirect_uri",
  ],
  [
    "a name with an escape",
    { client_name: "a\u001bb", redirect_uris: [callbackUri] },
    "invalid_client_metadata",
  ],
  [
    "a name of two lines",
    { client_name: "a\u2028b", redirect_uris: [callbackUri] },
    "invalid_client_metadata",
  ],
  ["a long name", { client_name: "n".repeat(513), redirect_uris: [callbackUri] }, "invalid_client_metadata"],
  [
    "a long name of few letters",
    { client_name: "ü".repeat(300), redirect_uris: [callbackUri] },
    "invalid_client_metadata",
  ],
  [
    "private_key_jwt",
    { token_endpoint_auth_method: "private_key_jwt", redirect_uris: [callbackUri] },
    "invalid_client_metadata",
  ],
  [
    "mutual TLS",
    { token_endpoint_auth_method: "tls_client_auth", redirect_uris: [callbackUri] },
    "invalid_client_metadata",
  ],
  [
    "only machine grants",
    { grant_types: ["client_credentials"], redirect_uris: [callbackUri] },
    "invalid_client_metadata",
  ],
  ["only tokens", { response_types: ["token"], redirect_uris: [callbackUri] }, "invalid_client_metadata"],
  ["a list", [1], "invalid_client_metadata"],
  ["a word", "x", "invalid_client_metadata"],
  ["nothing", null, "invalid_client_metadata"],
];

for (const [what, body, error] of refusals) {
  Deno.test(`register refuses ${what}`, async () => {
    const { app } = await bridgeKit();

    const response = await postJson(app, "/register", body);
    const answer = await response.json();

    assert.equal(response.status, 400);
    assert.equal(answer.error, error);
    assert.match(answer.error_description, /^[\x20-\x7e]{5,200}$/);
    assert.ok(!("client_id" in answer));
    assert.match(response.headers.get("cache-control") ?? "", /no-store/);
  });
}

Deno.test("register refuses a body that is no JSON, has more after it, or is too large", async () => {
  const { app } = await bridgeKit();
  const send = (body: string) => app.request("/register", { method: "POST", body });
  const good = JSON.stringify({ redirect_uris: [callbackUri] });

  assert.equal((await send("{")).status, 400);
  assert.equal((await send(`${good} {}`)).status, 400);
  assert.equal((await send("")).status, 400);
  assert.equal(
    (await send(JSON.stringify({ redirect_uris: [callbackUri], x: "y".repeat(1 << 20) }))).status,
    413,
  );
  assert.equal((await send(good)).status, 201);
});

Deno.test("register takes no id from a client, and cuts a long name", async () => {
  const { app } = await bridgeKit();

  const answer = await registerClient(app, {
    client_id: "mine",
    client_secret: "mine",
    client_name: "n".repeat(200),
  });

  assert.notEqual(answer.client_id, "mine");
  assert.ok(!("client_secret" in answer));
  assert.ok(answer.client_id.length < 600);
});

Deno.test("a name is shown without what could make it look like another", async () => {
  const { app } = await bridgeKit();
  const shown = async (client_name: string) => {
    const { client_id } = await registerClient(app, { client_name });
    const page = await (await app.request(`/authorize?${await authorizeQuery(client_id)}`)).text();
    return /<h1>Allow (.*) to use/.exec(page)?.[1];
  };

  assert.equal(await shown("\u202eedualC\u202c"), "edualC");
  assert.equal(await shown("Cla\u200bude\ufeff"), "Claude");
  assert.equal(await shown("Notes, müller & 東京 🦕"), "Notes, müller &amp; 東京 🦕");
  assert.equal(await shown("\u200b\u2060"), "An application without a name");
});

Deno.test("register keeps nothing: a hundred registrations leave the store as it was", async () => {
  const { app, parts } = await bridgeKit();
  let writes = 0;
  const put = parts.store.put;
  parts.store.put = (...args) => (writes++, put(...args));

  for (let at = 0; at < 100; at++) await registerClient(app);

  assert.equal(writes, 0);
});

Deno.test("register answers an operator's own list of hosts and schemes", async () => {
  const { app } = await bridgeKit({
    config: { redirectHosts: ["*.company.example"], redirectSchemes: ["notes"] },
  });
  const register = async (uri: string) => (await postJson(app, "/register", { redirect_uris: [uri] })).status;

  assert.equal(await register("https://a.company.example/cb"), 201);
  assert.equal(await register("notes://cb"), 201);
  assert.equal(await register("https://claude.ai/api/mcp/auth_callback"), 201);
  assert.equal(await register("https://other.example/cb"), 400);
  assert.equal(await register("https://company.example.evil.example/cb"), 400);
});

Deno.test("register says when a registration ends, and it does", async () => {
  const kit = await bridgeKit({ config: { clientTtlMs: 60_000 } });
  const answer = await registerClient(kit.app);
  const query = await authorizeQuery(answer.client_id);

  const before = await kit.app.request(`/authorize?${query}`);
  await kit.clock.advance(60_000);
  const after = await kit.app.request(`/authorize?${query}`);

  assert.equal(answer["client_id_expires_at"], Math.floor(kit.clock.now() / 1000));
  assert.equal(before.status, 200);
  assert.equal(after.status, 400);
  assert.equal((await after.json()).error_code, "client_registration_expired");
});

Deno.test("register says 0 for a registration that never ends", async () => {
  const kit = await bridgeKit();
  const answer = await registerClient(kit.app);

  await kit.clock.advance(3_650 * 86_400_000);

  assert.equal(answer["client_id_expires_at"], 0);
  assert.equal((await kit.app.request(`/authorize?${await authorizeQuery(answer.client_id)}`)).status, 200);
});

Deno.test("ten years later a client and its secret are good for a login and a refresh", async () => {
  const kit = await bridgeKit();
  const method = { token_endpoint_auth_method: "client_secret_post" };
  const { client_id, client_secret = "" } = await registerClient(kit.app, method);
  const jar = new Jar();

  await kit.clock.advance(3_650 * 86_400_000);

  const consent = await openConsent(kit.app, jar, await authorizeQuery(client_id));
  const back = await comeBack(kit.app, jar, await approve(kit.app, jar, consent));
  const code = back.searchParams.get("code") ?? "";
  const redeemed = await redeem(kit.app, client_id, code, { client_secret });
  assert.equal(redeemed.status, 200);
  const { refresh_token } = await redeemed.json();
  assert.equal((await refresh(kit.app, client_id, refresh_token, { client_secret })).status, 200);
});

Deno.test("register knows the hosts and schemes of published clients by itself, and no others", async () => {
  const { app } = await bridgeKit({ config: { redirectHosts: [] } });
  const own = ["an SDK that says basic", "one with empty members", "one with a URI that is not for us"];

  for (const { client, body } of clientBodies) {
    const response = await postJson(app, "/register", body);
    assert.equal(response.status, own.includes(client) ? 400 : 201, client);
    if (response.status === 400) {
      const { error, error_description } = await response.json();
      assert.equal(error, "invalid_redirect_uri");
      assert.match(error_description, /REDIRECT_HOSTS/);
    }
  }
});
