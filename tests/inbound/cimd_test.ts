import assert from "node:assert/strict";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { BodyTooLarge } from "../../lib/base/body.ts";
import { type GuardedAnswer, type GuardedFetch, GuardRefusal } from "../../lib/base/guarded_fetch.ts";
import { openGuardedFetch } from "../../lib/base/guarded_fetch.ts";
import { silentLog } from "../../lib/base/log.ts";
import { clientDocuments } from "../../lib/inbound/bridge/cimd.ts";
import { refusedRedirect } from "../../lib/inbound/bridge/redirects.ts";
import { memoryStore } from "../../lib/store/memory.ts";
import { fakeClock } from "../fakes/clock.ts";
import { authorizeQuery, base, bridgeConfig, bridgeKit, callbackUri, login, refresh } from "./kit.ts";

const id = "https://app.example/oauth/client.json";
const good = {
  client_id: id,
  client_name: "App",
  redirect_uris: [callbackUri],
  token_endpoint_auth_method: "none",
};

function answer(
  body: unknown,
  options: { status?: number; type?: string; headers?: Record<string, string> } = {},
): GuardedAnswer {
  const { status = 200, type = "application/json", headers = {} } = options;
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return {
    status,
    headers: new Headers({ "content-type": type, ...headers }),
    body: new TextEncoder().encode(text),
  };
}

/** A bridge whose documents come from a function. */
async function kitWith(documents: (url: URL) => GuardedAnswer | Promise<GuardedAnswer>) {
  const clock = fakeClock();
  const asked: string[] = [];
  const fetch: GuardedFetch = async (url) => {
    asked.push(url.href);
    return await documents(url);
  };
  const store = memoryStore(clock);
  const make = () =>
    clientDocuments({
      fetch,
      clock,
      log: silentLog,
      store,
      allowsUri: (uri) => refusedRedirect(uri, bridgeConfig()) === undefined,
      audiences: [base, `${base}/token`],
      allowLoopback: false,
    });
  const kit = await bridgeKit({ parts: { documents: make() } });
  return { ...kit, documentClock: clock, asked, make };
}

async function begin(kit: Awaited<ReturnType<typeof kitWith>>, clientId = id, change = {}) {
  const query = await authorizeQuery(clientId, change);
  return await kit.app.request(`/authorize?${query}`, { headers: { accept: "text/html" } });
}

Deno.test("a client known by its document goes the whole way, and the page says who publishes it", async () => {
  const kit = await kitWith(() => answer(good));

  const page = await (await begin(kit)).text();
  const { tokens } = await login(kit.app, { clientId: id });
  const next = await refresh(kit.app, id, tokens.refresh_token);

  assert.match(page, /published by app\.example/);
  assert.equal(next.status, 200);
  assert.equal((await kit.bridge.authenticate(tokens.access_token)).clientId, id);
  assert.deepEqual(kit.asked, [id]);
});

Deno.test("documents are offered in the metadata, with the way such clients authenticate", async () => {
  const kit = await kitWith(() => answer(good));

  const document = await (await kit.app.request("/.well-known/oauth-authorization-server")).json();

  assert.equal(document.client_id_metadata_document_supported, true);
  assert.ok(document.token_endpoint_auth_methods_supported.includes("none"));
  assert.ok(document.token_endpoint_auth_methods_supported.includes("private_key_jwt"));
  assert.ok(document.token_endpoint_auth_signing_alg_values_supported.includes("ES256"));
});

for (
  const bad of [
    "http://app.example/client.json",
    "https://app.example",
    "https://app.example/",
    "https://app.example/client.json#x",
    "https://u:p@app.example/client.json",
    "https://app.example/a/../client.json",
    "https://app.example/%2e%2e/client.json",
    "https://APP.example/client.json",
    "https://app.example:443/client.json",
    `https://app.example/${"x".repeat(500)}`,
  ]
) {
  Deno.test(`${bad.slice(0, 60)} is refused as a client without any fetch`, async () => {
    const kit = await kitWith(() => answer(good));

    const response = await begin(kit, bad);

    assert.equal(response.status, 400);
    assert.equal(response.headers.get("location"), null);
    assert.deepEqual(kit.asked, []);
  });
}

const badAnswers: readonly [string, () => GuardedAnswer][] = [
  ["a redirect", () => answer("", { status: 302, headers: { location: "https://other.example/" } })],
  ["a 404", () => answer(good, { status: 404 })],
  ["a 201", () => answer(good, { status: 201 })],
  ["HTML", () => answer(good, { type: "text/html" })],
  ["no type", () => answer(good, { type: "" })],
  ["broken JSON", () => answer("{")],
  ["bytes that are no text", () => ({ ...answer(""), body: new Uint8Array([0xff, 0xfe]) })],
  ["a list", () => answer([good])],
  ["another address", () => answer({ ...good, client_id: `${id}/` })],
  ["no address", () => answer({ ...good, client_id: undefined })],
  ["a secret", () => answer({ ...good, client_secret: "x" })],
  ["a secret's end", () => answer({ ...good, client_secret_expires_at: 0 })],
  ["a secret method", () => answer({ ...good, token_endpoint_auth_method: "client_secret_post" })],
  ["an unknown method", () => answer({ ...good, token_endpoint_auth_method: "tls_client_auth" })],
  ["a key method without keys", () => answer({ ...good, token_endpoint_auth_method: "private_key_jwt" })],
  ["no redirect URI", () => answer({ ...good, redirect_uris: undefined })],
  ["no name", () => answer({ ...good, client_name: undefined })],
  ["a name with an escape", () => answer({ ...good, client_name: "a\u001bb" })],
  ["only forbidden redirect URIs", () => answer({ ...good, redirect_uris: ["javascript:alert(1)"] })],
  ["too much", () => {
    throw new BodyTooLarge(5_120);
  }],
  ["a private address", () => {
    throw new GuardRefusal("special_address", new URL(id));
  }],
  ["nothing", () => {
    throw new Error("no answer: internal detail");
  }],
  ["a server in trouble", () => answer("", { status: 503 })],
];

for (const [what, documents] of badAnswers) {
  Deno.test(`a document that is ${what} gives a page here, is not kept and is not shown`, async () => {
    let bad = true;
    const kit = await kitWith(() => bad ? documents() : answer(good));

    const response = await begin(kit);
    const page = await response.text();
    bad = false;

    assert.equal(response.status, 400, page);
    assert.equal(response.headers.get("location"), null);
    assert.ok(!page.includes("internal detail"));
    assert.equal((await begin(kit)).status, 200);
  });
}

Deno.test("a redirect URI must be one of the document's", async () => {
  const kit = await kitWith(() => answer(good));

  const response = await begin(kit, id, { redirect_uri: "https://evil.example/cb" });

  assert.equal(response.status, 400);
  assert.equal(response.headers.get("location"), null);
});

Deno.test("a document without a port lets a client on the device come back on any", async () => {
  const kit = await kitWith(() => answer({ ...good, redirect_uris: ["http://localhost/callback"] }));

  assert.equal((await begin(kit, id, { redirect_uri: "http://localhost:51763/callback" })).status, 200);
});

for (
  const [control, freshMs] of [
    [undefined, 3_600_000],
    ["max-age=10", 300_000],
    ["max-age=7200", 7_200_000],
    ["max-age=99999999", 86_400_000],
    ["no-store", 300_000],
  ] as const
) {
  Deno.test(`a document with cache-control ${control} is asked for again after ${freshMs / 1000} s`, async () => {
    const kit = await kitWith(() =>
      answer(good, { headers: control === undefined ? {} : { "cache-control": control } })
    );

    await begin(kit);
    await kit.documentClock.advance(freshMs - 1);
    await begin(kit);
    assert.equal(kit.asked.length, 1);
    await kit.documentClock.advance(1);
    await begin(kit);
    assert.equal(kit.asked.length, 2);
  });
}

Deno.test("many who wait for one document cause one fetch", async () => {
  const gate = Promise.withResolvers<void>();
  const kit = await kitWith(async () => {
    await gate.promise;
    return answer(good);
  });

  const all = Promise.all(Array.from({ length: 10 }, () => begin(kit)));
  await new Promise((resolve) => setTimeout(resolve, 0));
  gate.resolve();

  assert.deepEqual((await all).map(({ status }) => status), Array(10).fill(200));
  assert.equal(kit.asked.length, 1);
});

Deno.test("a host that is down keeps nobody out whose document was seen, for a week; at /token it is no bad client", async () => {
  let down = false;
  const kit = await kitWith(() => {
    if (down) throw new Error("down");
    return answer(good);
  });
  const { tokens } = await login(kit.app, { clientId: id });
  down = true;
  await kit.documentClock.advance(6 * 86_400_000);

  assert.equal((await begin(kit)).status, 200);
  const next = await refresh(kit.app, id, tokens.refresh_token);
  assert.equal(next.status, 200);
  const elsewhere = kit.start({ documents: kit.make() });
  const unknown = await refresh(elsewhere.app, id, (await next.json()).refresh_token);
  assert.equal(unknown.status, 503);
  await kit.documentClock.advance(86_400_001);
  assert.equal((await begin(kit)).status, 400);
});

Deno.test("a document that has turned bad is not replaced by the copy", async () => {
  let document: unknown = good;
  const kit = await kitWith(() => answer(document));
  await begin(kit);
  await kit.documentClock.advance(3_600_000);
  document = { ...good, redirect_uris: ["https://new.example/cb"] };

  assert.equal((await begin(kit)).status, 400);
  document = { ...good, client_id: "https://other.example/x" };
  await kit.documentClock.advance(3_600_000);
  assert.equal((await begin(kit, id, { redirect_uri: "https://new.example/cb" })).status, 400);
});

for (
  const [clientId, redirectUri] of [
    ["https://claude.ai/oauth/mcp-oauth-client-metadata", "https://claude.ai/api/mcp/auth_callback"],
    ["https://claude.ai/oauth/claude-code-client-metadata", "http://localhost:51763/callback"],
    ["https://chatgpt.com/oauth/client.json", "https://chatgpt.com/connector_platform_oauth_redirect"],
    ["https://chatgpt.com/oauth/codex/client.json", "http://127.0.0.1:40123/callback"],
    ["https://vscode.dev/oauth/client-metadata.json", "http://127.0.0.1:51001/"],
    ["https://zed.dev/oauth/client-metadata.json", "http://127.0.0.1:40123/callback"],
    ["https://opencode.ai/oauth/opencode/client.json", "http://localhost:40123/callback"],
  ] as const
) {
  Deno.test(`${clientId} works where nothing can be fetched, with its own redirect URIs only`, async () => {
    const kit = await kitWith(() => {
      throw new Error("no way out");
    });

    assert.equal((await begin(kit, clientId, { redirect_uri: redirectUri })).status, 200);
    assert.equal((await begin(kit, clientId, { redirect_uri: "https://evil.example/cb" })).status, 400);
  });
}

/** A client with a key of its own. */
async function keyed(jwks: "inline" | "by address" = "inline") {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const keys = { keys: [{ ...await exportJWK(publicKey), kid: "k1", alg: "ES256" }] };
  const where = jwks === "inline" ? { jwks: keys } : { jwks_uri: "https://app.example/keys.json" };
  const document = { ...good, token_endpoint_auth_method: "private_key_jwt", ...where };
  const kit = await kitWith((url) => answer(url.href === id ? document : keys));
  const sign = async (
    claims: Record<string, unknown> = {},
    key: Parameters<SignJWT["sign"]>[0] = privateKey,
  ) => {
    const nowSec = kit.documentClock.now() / 1000;
    return await new SignJWT({
      iss: id,
      sub: id,
      aud: base,
      jti: crypto.randomUUID(),
      exp: nowSec + 300,
      ...claims,
    })
      .setProtectedHeader({ alg: "ES256", kid: "k1" }).sign(key);
  };
  const redeemWith = async (assertion: string | undefined, extra: Record<string, string> = {}) => {
    const { Jar, openConsent, approve, comeBack, redeem } = await import("./kit.ts");
    const jar = new Jar();
    const url = await approve(kit.app, jar, await openConsent(kit.app, jar, await authorizeQuery(id)));
    const code = (await comeBack(kit.app, jar, url)).searchParams.get("code") ?? "";
    return await redeem(kit.app, id, code, {
      ...(assertion === undefined ? {} : {
        client_assertion: assertion,
        client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      }),
      ...extra,
    });
  };
  return { kit, sign, redeemWith };
}

for (const where of ["inline", "by address"] as const) {
  Deno.test(`a client with keys (${where}) proves itself, once per assertion`, async () => {
    const { kit, sign, redeemWith } = await keyed(where);
    const assertion = await sign();

    const first = await redeemWith(assertion);
    const replayed = await redeemWith(assertion);
    const byEndpoint = await redeemWith(await sign({ aud: `${base}/token` }));
    const withoutId = await redeemWith(await sign({ jti: "j".repeat(4_000) }), { client_id: "" });

    assert.equal(first.status, 200, await first.text());
    assert.equal(replayed.status, 401);
    assert.equal(byEndpoint.status, 200);
    assert.equal(withoutId.status, 200);
    assert.ok(kit.asked.length >= 1);
  });
}

Deno.test("a client with keys cannot do without, nor with anything else", async () => {
  const { kit, sign, redeemWith } = await keyed();
  const foreign = (await generateKeyPair("ES256")).privateKey;
  const nowSec = kit.documentClock.now() / 1000;
  const bad: (string | undefined)[] = [
    undefined,
    "x.y.z",
    await sign({}, foreign),
    await sign({ iss: "https://other.example/" }),
    await sign({ sub: "https://other.example/" }),
    await sign({ aud: "https://other.example" }),
    await sign({ aud: undefined }),
    await sign({ exp: nowSec - 60 }),
    await sign({ exp: nowSec + 86_400 }),
    await sign({ exp: undefined }),
    await sign({ jti: undefined }),
    await sign({ jti: "" }),
  ];

  for (const assertion of bad) {
    const response = await redeemWith(assertion);
    assert.equal(response.status, 401, String(assertion));
    assert.equal((await response.json()).error, "invalid_client");
  }
  assert.equal((await redeemWith(await sign(), { client_secret: "x" })).status, 400);
  assert.equal((await redeemWith(await sign(), { client_assertion_type: "other" })).status, 401);
  assert.equal((await redeemWith(undefined, { client_secret: "x" })).status, 401);
});

Deno.test("the real fetch reaches no private place and a name that changes its address gains nothing", async () => {
  const resolved: string[] = [];
  const fetch = openGuardedFetch({ caFiles: [], noProxy: [] }, {
    resolve: (name) => {
      resolved.push(name);
      return Promise.resolve(resolved.length % 2 === 1 ? ["169.254.169.254"] : ["10.0.0.1"]);
    },
  });
  const clock = fakeClock();
  const documents = clientDocuments({
    fetch,
    clock,
    log: silentLog,
    store: memoryStore(clock),
    allowsUri: () => true,
    audiences: [base],
    allowLoopback: false,
  });

  for (const host of ["app.example", "127.0.0.1", "[::1]", "10.1.2.3", "[::ffff:127.0.0.1]", "100.64.0.1"]) {
    const url = new URL(`https://${host}/client.json`).href;
    await assert.rejects(documents.find(url), { reason: "client_document_refused" }, url);
  }
  assert.deepEqual(resolved, ["app.example"]);
});
