import assert from "node:assert/strict";
import {
  authorizeQuery,
  base,
  bridgeKit,
  callbackUri,
  Jar,
  type Kit,
  openConsent,
  registerClient,
} from "./kit.ts";
import { approve } from "./kit.ts";
import { IdpError } from "../../lib/idp/idp.ts";
import { heardLog } from "../support/watched_log.ts";

async function ask(kit: Kit, query: URLSearchParams | string, headers: Record<string, string> = {}) {
  return await kit.app.request(`/authorize?${query}`, { headers });
}

/** The parameters of an error that was sent back to the client. */
function sentBack(response: Response, to = callbackUri): URLSearchParams {
  assert.equal(response.status, 302);
  const location = response.headers.get("location") ?? "";
  assert.ok(location.startsWith(to), location);
  assert.match(response.headers.get("cache-control") ?? "", /no-store/);
  return new URL(location).searchParams;
}

type Change = Record<string, string | undefined>;

const backToClient: readonly [string, Change, string][] = [
  ["no response type", { response_type: undefined }, "unsupported_response_type"],
  ["a token", { response_type: "token" }, "unsupported_response_type"],
  ["code and token", { response_type: "code token" }, "unsupported_response_type"],
  ["a form post", { response_mode: "form_post" }, "invalid_request"],
  ["a request object", { request: "eyJ" }, "request_not_supported"],
  ["a request address", { request_uri: "https://a.example/r" }, "request_uri_not_supported"],
  ["another resource", { resource: "https://other.example/mcp" }, "invalid_target"],
  ["another path", { resource: `${base}/other` }, "invalid_target"],
  ["a resource with a fragment", { resource: `${base}/mcp#x` }, "invalid_target"],
  ["a resource with dot segments", { resource: `${base}/x/../mcp` }, "invalid_target"],
  ["no challenge", { code_challenge: undefined, code_challenge_method: undefined }, "invalid_request"],
  ["a plain challenge", { code_challenge_method: "plain" }, "invalid_request"],
  ["a challenge without method", { code_challenge_method: undefined }, "invalid_request"],
  ["a short challenge", { code_challenge: "x".repeat(42) }, "invalid_request"],
  ["a long challenge", { code_challenge: "x".repeat(129) }, "invalid_request"],
  ["a challenge of other characters", { code_challenge: "+".repeat(43) }, "invalid_request"],
  ["a scope that is none", { scope: 'a"b' }, "invalid_scope"],
];

for (const [what, change, error] of backToClient) {
  Deno.test(`authorize sends ${what} back to the client as ${error}, with state and issuer`, async () => {
    const kit = await bridgeKit();
    const { client_id } = await registerClient(kit.app);

    const parameters = sentBack(await ask(kit, await authorizeQuery(client_id, change)));

    assert.equal(parameters.get("error"), error);
    assert.equal(parameters.get("state"), "the-state");
    assert.equal(parameters.get("iss"), base);
    assert.equal(parameters.get("code"), null);
    assert.match(parameters.get("error_description") ?? "", /^[\x20-\x7e]{5,200}$/);
    assert.equal(kit.idp.calls.authorize, 0);
  });
}

for (const name of ["response_type", "code_challenge", "code_challenge_method", "scope"]) {
  Deno.test(`authorize refuses a second ${name}`, async () => {
    const kit = await bridgeKit();
    const query = await authorizeQuery((await registerClient(kit.app)).client_id, { scope: "openid" });
    query.append(name, query.get(name) ?? "");

    const parameters = sentBack(await ask(kit, query));

    assert.equal(parameters.get("error"), "invalid_request");
    assert.equal(parameters.get("state"), "the-state");
  });
}

Deno.test("authorize refuses a second state, and repeats none", async () => {
  const kit = await bridgeKit();
  const query = await authorizeQuery((await registerClient(kit.app)).client_id);
  query.append("state", "another");

  const parameters = sentBack(await ask(kit, query));

  assert.equal(parameters.get("error"), "invalid_request");
  assert.equal(parameters.get("state"), null);
});

Deno.test("authorize caps the state at 2 KiB", async () => {
  const kit = await bridgeKit();
  const { client_id } = await registerClient(kit.app);

  const long = sentBack(await ask(kit, await authorizeQuery(client_id, { state: "s".repeat(2_049) })));
  const fitting = await ask(kit, await authorizeQuery(client_id, { state: "s".repeat(2_048) }));

  assert.equal(long.get("error"), "invalid_request");
  assert.equal(long.get("state"), null);
  assert.equal(fitting.status, 200);
});

const pages: readonly [string, (id: string) => Promise<URLSearchParams> | URLSearchParams, string][] = [
  ["no client", () => new URLSearchParams({ response_type: "code" }), "client_id_missing"],
  ["an unknown client", () => authorizeQuery("unknown"), "client_id_invalid"],
  [
    "another redirect URI",
    (id) => authorizeQuery(id, { redirect_uri: "https://evil.example/" }),
    "redirect_uri_mismatch",
  ],
  [
    "a longer path",
    (id) => authorizeQuery(id, { redirect_uri: `${callbackUri}/x` }),
    "redirect_uri_mismatch",
  ],
  [
    "another case",
    (id) => authorizeQuery(id, { redirect_uri: callbackUri.replace("client", "Client") }),
    "redirect_uri_mismatch",
  ],
  [
    "another query",
    (id) => authorizeQuery(id, { redirect_uri: `${callbackUri}?a=b` }),
    "redirect_uri_mismatch",
  ],
];

for (const [what, query, reason] of pages) {
  Deno.test(`authorize answers ${what} here and never by a redirect`, async () => {
    const kit = await bridgeKit();
    const { client_id } = await registerClient(kit.app);

    const json = await ask(kit, await query(client_id));
    const page = await ask(kit, await query(client_id), { accept: "text/html" });

    assert.equal(json.status, 400);
    assert.equal(json.headers.get("location"), null);
    assert.equal((await json.json()).error_code, reason);
    assert.equal(page.status, 400);
    assert.equal(page.headers.get("location"), null);
    assert.match(await page.text(), /Reference for the operator/);
  });
}

Deno.test("authorize refuses a second client_id or redirect_uri without a redirect", async () => {
  const kit = await bridgeKit();
  const { client_id } = await registerClient(kit.app);

  for (const name of ["client_id", "redirect_uri"]) {
    const query = await authorizeQuery(client_id);
    query.append(name, query.get(name) ?? "");
    const response = await ask(kit, query);
    assert.equal(response.status, 400);
    assert.equal(response.headers.get("location"), null);
  }
});

Deno.test("authorize tells the reader how to make a forgotten client register anew", async () => {
  const kit = await bridgeKit();
  const foreign = await bridgeKit({ secrets: ["another-signing-secret-0123456789-abc"] });
  const { client_id } = await registerClient(foreign.app);

  const page = await (await ask(kit, await authorizeQuery(client_id), { accept: "text/html" })).text();

  assert.match(page, /Let it register anew/);
  assert.match(page, /Claude Code/);
  assert.match(page, /Remove Dynamic Authentication Providers/);
});

Deno.test("authorize needs a redirect URI when several are registered, and not when there is one", async () => {
  const kit = await bridgeKit();
  const one = await registerClient(kit.app);
  const two = await registerClient(kit.app, { redirect_uris: [callbackUri, `${callbackUri}2`] });

  const single = await ask(kit, await authorizeQuery(one.client_id, { redirect_uri: undefined }));
  const several = await ask(kit, await authorizeQuery(two.client_id, { redirect_uri: undefined }));

  assert.equal(single.status, 200);
  assert.equal(several.status, 400);
  assert.equal((await several.json()).error_code, "redirect_uri_missing");
});

const loopback: readonly [string, string, boolean][] = [
  ["http://127.0.0.1:3000/cb", "http://127.0.0.1:51234/cb", true],
  ["http://127.0.0.1/cb", "http://127.0.0.1:51234/cb", true],
  ["http://localhost:3000/cb", "http://localhost/cb", true],
  ["http://[::1]:3000/cb", "http://[::1]:9/cb", true],
  ["http://localhost:3000/cb?x=1", "http://localhost:1/cb?x=1", true],
  ["http://127.0.0.1:3000/cb", "http://localhost:3000/cb", false],
  ["http://127.0.0.1:3000/cb", "http://127.0.0.1:3000/cb2", false],
  ["http://127.0.0.1:3000/cb", "http://127.0.0.1:3000/cb?x=1", false],
  ["http://127.0.0.1:3000/cb", "http://127.0.0.1:3000/CB", false],
  ["http://127.0.0.1:3000/cb", "https://127.0.0.1:3000/cb", false],
  ["http://127.0.0.1:3000/cb", "http://127.0.0.1:3000@evil.example/cb", false],
  ["http://127.0.0.1:3000/cb", "http://127.0.0.1.evil.example/cb", false],
  ["http://127.0.0.1:3000/cb", "http://127.0.0.1:99999/cb", false],
  ["https://app.example:3000/cb", "https://app.example:3001/cb", false],
];

for (const [registered, asked, good] of loopback) {
  Deno.test(`authorize ${good ? "accepts" : "refuses"} ${asked} where ${registered} is registered`, async () => {
    const kit = await bridgeKit();
    const { client_id } = await registerClient(kit.app, { redirect_uris: [registered] });

    const response = await ask(kit, await authorizeQuery(client_id, { redirect_uri: asked }));

    assert.equal(response.status, good ? 200 : 400);
    assert.equal(response.headers.get("location"), null);
  });
}

for (
  const resource of [
    `${base}/mcp`,
    `${base}/mcp/`,
    `${base}`,
    `${base}/`,
    "HTTPS://Door.Example/mcp",
    "https://door.example:443/mcp",
    "https://DOOR.example:443/mcp/",
  ]
) {
  Deno.test(`authorize takes ${resource} for the resource`, async () => {
    const kit = await bridgeKit();
    const { client_id } = await registerClient(kit.app);

    assert.equal((await ask(kit, await authorizeQuery(client_id, { resource }))).status, 200);
  });
}

Deno.test("authorize takes several spellings of the resource at once, and none that is foreign among them", async () => {
  const kit = await bridgeKit();
  const query = await authorizeQuery((await registerClient(kit.app)).client_id);

  query.append("resource", `${base}/`);
  assert.equal((await ask(kit, query)).status, 200);
  query.append("resource", "https://other.example/");
  assert.equal(sentBack(await ask(kit, query)).get("error"), "invalid_target");
});

Deno.test("authorize leaves nothing behind but a cookie, needs none, and asks nobody", async () => {
  const kit = await bridgeKit();
  const query = await authorizeQuery((await registerClient(kit.app)).client_id);
  let touched = 0;
  for (const name of ["get", "put", "putIf", "add", "delete", "deleteIf"] as const) {
    const real = kit.parts.store[name];
    // deno-lint-ignore no-explicit-any -- any of the store's methods
    kit.parts.store[name] = ((...args: any[]) => (touched++, (real as any)(...args))) as never;
  }

  const first = await ask(kit, query);
  const second = await ask(kit, query);

  assert.equal(first.status, 200);
  assert.equal(second.status, 200);
  assert.equal(touched, 0);
  assert.equal(kit.idp.calls.authorize, 0);
  const cookie = first.headers.get("set-cookie") ?? "";
  assert.match(cookie, /^__Host-doorman=[\w.-]+; Max-Age=\d+; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
});

Deno.test("authorize on loopback over http uses a cookie that browsers take there", async () => {
  const local = "http://localhost:8123";
  const kit = await bridgeKit({ config: { baseUrl: local, resource: `${local}/mcp` } });
  const { client_id } = await registerClient(kit.app);

  const response = await ask(kit, await authorizeQuery(client_id, { resource: `${local}/mcp` }));

  assert.match(
    response.headers.get("set-cookie") ?? "",
    /^doorman-8123=[\w.-]+; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Lax$/,
  );
});

Deno.test("authorize narrows scopes instead of refusing them, and gives them all to who asks for none", async () => {
  const kit = await bridgeKit();
  const { client_id } = await registerClient(kit.app);
  const scopesOf = async (scope: string | undefined) => {
    const page = await (await ask(kit, await authorizeQuery(client_id, { scope }))).text();
    return [...page.matchAll(/<li>([^<]+)<\/li>/g)].map(([, name]) => name);
  };

  assert.deepEqual(await scopesOf("email phone offline_access"), ["email"]);
  assert.deepEqual(await scopesOf(undefined), ["openid", "email"]);
  assert.deepEqual(await scopesOf(""), ["openid", "email"]);
  assert.deepEqual(await scopesOf("unknown"), ["openid", "email"]);
});

Deno.test("authorize demands a state only where the operator does", async () => {
  const lenient = await bridgeKit();
  const strict = await bridgeKit({ config: { stateRequired: true } });
  const without = async (kit: Kit) =>
    await ask(kit, await authorizeQuery((await registerClient(kit.app)).client_id, { state: undefined }));

  assert.equal((await without(lenient)).status, 200);
  assert.ok([...lenient.counters.entries()].some(({ labels }) => labels["reason"] === "state_missing"));
  const refused = sentBack(await without(strict));
  assert.equal(refused.get("error"), "invalid_request");
  assert.equal(refused.get("state"), null);
});

Deno.test("authorize without PKCE works only where the operator allows it", async () => {
  const kit = await bridgeKit({ config: { pkceRequired: false } });
  const { client_id } = await registerClient(kit.app);
  const none = { code_challenge: undefined, code_challenge_method: undefined };

  assert.equal((await ask(kit, await authorizeQuery(client_id, none))).status, 200);
  const plain = await ask(kit, await authorizeQuery(client_id, { code_challenge_method: "plain" }));
  assert.equal(sentBack(plain).get("error"), "invalid_request");
  const alone = await ask(kit, await authorizeQuery(client_id, { code_challenge: undefined }));
  assert.equal(sentBack(alone).get("error"), "invalid_request");
});

Deno.test("authorize without a consent page goes straight to the IdP, still bound to the browser", async () => {
  const kit = await bridgeKit({ config: { renderConsentPage: false } });
  const { client_id } = await registerClient(kit.app);

  const response = await ask(kit, await authorizeQuery(client_id));

  assert.equal(response.status, 302);
  assert.match(response.headers.get("location") ?? "", /^https:\/\/idp\.example\/authorize\?state=/);
  assert.match(response.headers.get("set-cookie") ?? "", /^__Host-doorman=/);
});

Deno.test("authorize tells the client when the IdP is away and there is no consent page to wait on", async () => {
  const kit = await bridgeKit({ config: { renderConsentPage: false } });
  const { client_id } = await registerClient(kit.app);
  kit.idp.failing = new IdpError("transient", "idp_unreachable", "down");

  const parameters = sentBack(await ask(kit, await authorizeQuery(client_id)));

  assert.equal(parameters.get("error"), "temporarily_unavailable");
});

Deno.test("authorize sends an error to an application's own scheme by a page with a button", async () => {
  const kit = await bridgeKit();
  const uri = "cursor://anysphere.cursor-mcp/oauth/callback";
  const { client_id } = await registerClient(kit.app, { redirect_uris: [uri] });

  const response = await ask(
    kit,
    await authorizeQuery(client_id, { redirect_uri: uri, response_type: "token" }),
  );
  const page = await response.text();

  assert.equal(response.status, 200);
  assert.match(
    page,
    /id="continue" href="cursor:\/\/anysphere\.cursor-mcp\/oauth\/callback\?error=unsupported_response_type/,
  );
  assert.doesNotMatch(page, /http-equiv="refresh"/);
});

Deno.test("authorize keeps the query of a redirect URI", async () => {
  const kit = await bridgeKit();
  const uri = "https://client.example/callback?tenant=7";
  const { client_id } = await registerClient(kit.app, { redirect_uris: [uri] });

  const parameters = sentBack(
    await ask(kit, await authorizeQuery(client_id, { redirect_uri: uri, response_type: "x" })),
    uri,
  );

  assert.equal(parameters.get("tenant"), "7");
  assert.equal(parameters.get("error"), "unsupported_response_type");
});

Deno.test("authorize drops what it does not know, and what OpenID Connect would have", async () => {
  const kit = await bridgeKit();
  const { client_id } = await registerClient(kit.app);
  const query = await authorizeQuery(client_id, {
    prompt: "none",
    login_hint: "bob",
    max_age: "1",
    foo: "bar",
  });
  const jar = new Jar();

  const url = await approve(kit.app, jar, await openConsent(kit.app, jar, query));

  assert.equal(url.searchParams.get("prompt"), null);
  assert.equal(url.searchParams.get("login_hint"), null);
});

Deno.test("authorize lets the proxy's own client id at the IdP be used as a client", async () => {
  const kit = await bridgeKit();

  const good = await ask(kit, await authorizeQuery("doorman-at-idp"));
  const bad = await ask(
    kit,
    await authorizeQuery("doorman-at-idp", { redirect_uri: "http://evil.example/cb" }),
  );

  assert.equal(good.status, 200);
  assert.equal(bad.status, 400);
  assert.equal(bad.headers.get("location"), null);
});

Deno.test("authorize knows the clients that the operator registered", async () => {
  const staticClients = [{ clientId: "gateway", redirectUris: [callbackUri], name: "Gateway" }];
  const kit = await bridgeKit({ config: { staticClients } });

  const page = await ask(kit, await authorizeQuery("gateway"), { accept: "text/html" });
  const other = await ask(kit, await authorizeQuery("gateway", { redirect_uri: "https://other.example/" }));

  assert.match(await page.text(), /Gateway/);
  assert.equal(other.status, 400);
});

Deno.test("authorize counts a login only when its request was good", async () => {
  const kit = await bridgeKit();
  const { client_id } = await registerClient(kit.app);
  const counted = () =>
    [...kit.counters.entries()].filter(({ name }) => name === "mcp_auth_authorize_initiated_total");

  await ask(kit, await authorizeQuery(client_id, { response_type: "token" }));
  await ask(kit, await authorizeQuery("unknown"));
  assert.deepEqual(counted(), []);
  await ask(kit, await authorizeQuery(client_id));
  assert.deepEqual(counted().map(({ labels, value }) => [labels, value]), [[{ path: "consent" }, 1]]);
});

Deno.test("authorize puts the reference of a refusal into the log", async () => {
  const lines: { event: string; requestId?: string }[] = [];
  const { silentLog } = await import("../../lib/base/log.ts");
  const log = heardLog({ info: (event: string, fields = {}) => lines.push({ event, ...fields }) });
  const kit = await bridgeKit({ log: log as unknown as typeof silentLog });

  const page = await (await ask(kit, await authorizeQuery("unknown"), { accept: "text/html" })).text();
  const [, reference] = /<code>([\w-]+)<\/code>/.exec(page) ?? [];

  assert.ok(reference);
  assert.ok(
    lines.some((line) => line.event === "access_denied_client_id_invalid" && line.requestId === reference),
  );
});
