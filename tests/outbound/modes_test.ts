import assert from "node:assert/strict";
import type { Values } from "../../lib/base/setting.ts";
import { silentLog } from "../../lib/base/log.ts";
import { openHttpClient } from "../../lib/base/http_client.ts";
import { clientCredentials } from "../../lib/outbound/client_credentials.ts";
import { forward } from "../../lib/outbound/forward.ts";
import { utf8HeaderValue } from "../../lib/outbound/header_value.ts";
import { outboundMode, outboundModes } from "../../lib/outbound/modes.ts";
import { staticHeader } from "../../lib/outbound/static.ts";
import { fakeClock } from "../fakes/clock.ts";
import { startHandler } from "../fakes/raw_upstream.ts";
import { caller, NamedInbound, startFront } from "../http/support.ts";

type Given = Partial<Values<typeof clientCredentials.settings>>;

function parse(given: Given): { config: ReturnType<typeof clientCredentials.parse>; problems: string[] } {
  const problems: string[] = [];
  const config = clientCredentials.parse(given as Values<typeof clientCredentials.settings>, problems);
  return { config, problems };
}

/** A token endpoint that gives t1, t2, … */
function tokenEndpoint(
  answer: (count: number) => Response = (count) =>
    Response.json({ access_token: `t${count}`, token_type: "Bearer", expires_in: 300 }),
) {
  const asked: { body: URLSearchParams; authorization: string | null }[] = [];
  const server = startHandler(async (request) => {
    asked.push({
      authorization: request.headers.get("authorization"),
      body: new URLSearchParams(await request.text()),
    });
    return answer(asked.length);
  });
  return {
    asked,
    server,
    url: new URL(`${server.origin}/token`),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

const secret = { clientId: "us", clientSecret: "s e:c" };

async function create(given: Given) {
  const clock = fakeClock();
  const http = openHttpClient();
  const { config, problems } = parse(given);
  assert.deepEqual(problems, []);
  const outbound = await clientCredentials.create(config, { http, clock, log: silentLog });
  return { outbound, clock, [Symbol.dispose]: () => http.close() };
}

const alice = caller("alice");

Deno.test("client credentials are fetched once for all who ask, and again a minute before their end", async () => {
  await using endpoint = tokenEndpoint();
  using made = await create({ tokenUrl: endpoint.url, ...secret });
  const { outbound, clock } = made;

  const all = await Promise.all(Array.from({ length: 20 }, async () => await outbound.headers(alice)));
  assert.deepEqual(all, Array(20).fill([["authorization", "Bearer t1"]]));
  await clock.advance(239_000);
  assert.deepEqual(await outbound.headers(alice), [["authorization", "Bearer t1"]]);
  await clock.advance(1_000);
  assert.deepEqual(await outbound.headers(alice), [["authorization", "Bearer t2"]]);

  assert.equal(endpoint.asked.length, 2);
});

Deno.test("client credentials go by post, basic or a signed assertion, with scope and audience", async () => {
  await using endpoint = tokenEndpoint();
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
    "sign",
    "verify",
  ]);
  const der = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
  const clientKey = `-----BEGIN PRIVATE KEY-----\n${der.toBase64()}\n-----END PRIVATE KEY-----`;
  const more = { tokenUrl: endpoint.url, scope: ["a", "b"], audience: "https://api" };
  for (
    const given of [
      { ...more, ...secret },
      { ...more, ...secret, clientAuth: "client_secret_basic" as const },
      { ...more, clientId: "us", clientKey },
    ]
  ) {
    using made = await create(given);
    await made.outbound.headers(alice);
  }

  const [post, basic, assertion] = endpoint.asked;
  for (const asked of endpoint.asked) {
    assert.equal(asked.body.get("grant_type"), "client_credentials");
    assert.equal(asked.body.get("scope"), "a b");
    assert.equal(asked.body.get("audience"), "https://api");
  }
  assert.deepEqual([post?.body.get("client_id"), post?.body.get("client_secret"), post?.authorization], [
    "us",
    "s e:c",
    null,
  ]);
  assert.equal(basic?.authorization, `Basic ${btoa("us:s+e%3Ac")}`);
  assert.equal(basic?.body.get("client_secret"), null);
  assert.match(assertion?.body.get("client_assertion") ?? "", /^[\w-]+\.[\w-]+\.[\w-]+$/);
});

Deno.test("a token without an end is kept; one that is shorter than the skew is fetched each time", async () => {
  await using endless = tokenEndpoint((count) =>
    Response.json({ access_token: `t${count}`, token_type: "Bearer" })
  );
  using kept = await create({ tokenUrl: endless.url, ...secret });
  await kept.outbound.headers(alice);
  await kept.clock.advance(86_400_000);
  assert.deepEqual(await kept.outbound.headers(alice), [["authorization", "Bearer t1"]]);

  await using brief = tokenEndpoint((count) =>
    Response.json({ access_token: `t${count}`, token_type: "Bearer", expires_in: 30 })
  );
  using fetched = await create({ tokenUrl: brief.url, ...secret });
  await fetched.outbound.headers(alice);
  assert.deepEqual(await fetched.outbound.headers(alice), [["authorization", "Bearer t2"]]);
});

Deno.test("a token endpoint that fails is 503 with a time to wait, and is asked again by the next request", async () => {
  let down = true;
  await using endpoint = tokenEndpoint(() =>
    down ? new Response("no", { status: 503 }) : Response.json({ access_token: "t", token_type: "Bearer" })
  );
  using made = await create({ tokenUrl: endpoint.url, ...secret });

  await assert.rejects(async () => await made.outbound.headers(alice), { status: 503, retryAfterSec: 5 });
  down = false;
  assert.deepEqual(await made.outbound.headers(alice), [["authorization", "Bearer t"]]);
});

Deno.test("an upstream's 401 has the token fetched again once, also when many calls are refused together", async () => {
  await using endpoint = tokenEndpoint();
  let good = "Bearer t1";
  const http = openHttpClient();
  const clock = fakeClock();
  const { config } = parse({ tokenUrl: endpoint.url, ...secret });
  await using front = await startFront({
    upstream: (request) =>
      request.headers.get("authorization") === good
        ? Response.json({})
        : new Response(null, { status: 401, headers: { "www-authenticate": "Bearer" } }),
    outbound: () => clientCredentials.create(config, { http, clock, log: silentLog }),
  });
  const post = async () => {
    const response = await fetch(front.url, {
      method: "POST",
      body: "{}",
      headers: { authorization: "Bearer alice" },
    });
    await response.body?.cancel();
    return [response.status, response.headers.get("www-authenticate")];
  };
  assert.deepEqual(await post(), [200, null]);

  good = "Bearer t2";
  await clock.advance(10_000);
  assert.deepEqual(await Promise.all([post(), post(), post()]), Array(3).fill([200, null]));
  assert.equal(endpoint.asked.length, 2);

  good = "none at all";
  await clock.advance(10_000);
  assert.deepEqual(await post(), [502, null]);
  assert.equal(endpoint.asked.length, 3);
  // An upstream that refuses everything does not send everybody to the token endpoint.
  for (let count = 0; count < 5; count++) assert.deepEqual(await post(), [502, null]);
  assert.equal(endpoint.asked.length, 3);
  http.close();
});

Deno.test("client credentials name everything that is missing", () => {
  assert.match(parse({}).problems.join(), /OUTBOUND_TOKEN_URL, OUTBOUND_CLIENT_ID, OUTBOUND_CLIENT_SECRET$/);
  assert.match(parse({ clientAuth: "private_key_jwt" }).problems.join(), /OUTBOUND_CLIENT_KEY$/);
});

Deno.test("forward hands on the user's own token, and fails closed without one", async () => {
  const seen: (string | null)[] = [];
  const inbound = new NamedInbound("bob");
  inbound.callers.set("alice", caller("alice", { forwardable: "idp-token" }));
  await using front = await startFront({
    inbound,
    upstream: (request) => (seen.push(request.headers.get("authorization")), Response.json({})),
    outbound: (context) => forward.create({}, context),
  });
  const post = async (token: string) => {
    const response = await fetch(front.url, {
      method: "POST",
      body: "{}",
      headers: { authorization: `Bearer ${token}` },
    });
    await response.body?.cancel();
    return [response.status, response.headers.get("www-authenticate") !== null];
  };

  assert.deepEqual(await post("alice"), [200, false]);
  assert.deepEqual(await post("bob"), [401, true]);
  assert.deepEqual(seen, ["Bearer idp-token"]);
});

Deno.test("an upstream's 401 is our 401 in forward mode and 502 otherwise, never with its own challenge", async () => {
  const refuse = () =>
    new Response("inside", { status: 401, headers: { "www-authenticate": 'Bearer realm="inside"' } });
  const inbound = new NamedInbound();
  inbound.callers.set("alice", caller("alice", { forwardable: "idp-token" }));
  const modes = [
    { outbound: outboundModes.forward.create({}, {} as never), status: 401 },
    { outbound: outboundModes.none.create({}, {} as never), status: 502 },
    { outbound: staticHeader.create({ name: "x-api-key", value: "k" }, {} as never), status: 502 },
  ];
  for (const { outbound, status } of modes) {
    await using front = await startFront({ inbound, upstream: refuse, outbound: () => outbound });
    const response = await fetch(front.url, {
      method: "POST",
      body: "{}",
      headers: { authorization: "Bearer alice" },
    });
    const text = await response.text();
    assert.equal(response.status, status);
    assert.ok(!text.includes("inside"));
    const challenge = response.headers.get("www-authenticate");
    if (status === 401) assert.match(challenge ?? "", /error="invalid_token", resource_metadata=/);
    else assert.equal(challenge, null);
  }
});

Deno.test("an upstream's 403 with a challenge asks for more scopes in forward terms, and is 502 otherwise", async () => {
  for (
    const [challenge, status] of [['Bearer error="insufficient_scope", scope="x"', 403], ["Basic", 502], [
      undefined,
      403,
    ]] as const
  ) {
    const headers: Record<string, string> = challenge === undefined ? {} : { "www-authenticate": challenge };
    await using front = await startFront({ upstream: () => new Response("{}", { status: 403, headers }) });
    const response = await fetch(front.url, {
      method: "POST",
      body: "{}",
      headers: { authorization: "Bearer alice" },
    });
    await response.body?.cancel();
    assert.equal(response.status, status, challenge);
    assert.equal(
      /insufficient_scope/.test(response.headers.get("www-authenticate") ?? ""),
      challenge?.includes("insufficient") ?? false,
    );
  }
});

Deno.test("static takes a header for credentials and a printable value, and nothing else", () => {
  const problemsOf = (headerName: string, headerValue: string | undefined) => {
    const problems: string[] = [];
    staticHeader.parse({ headerName, headerValue }, problems);
    return problems.length;
  };
  assert.equal(problemsOf("X-API-Key", "abc def"), 0);
  assert.equal(problemsOf("Authorization", "Bearer x"), 0);
  for (const name of ["", "a b", "host", "Content-Length", "connection", "x:y", "é"]) {
    assert.equal(problemsOf(name, "v"), 1, name);
  }
  for (const value of [undefined, "", "a\r\nb", " a", "é", "a\0"]) {
    assert.equal(problemsOf("X-Key", value), 1, value);
  }
});

Deno.test("utf8HeaderValue() gives bytes without control characters", () => {
  assert.equal(utf8HeaderValue("zoë\r\nx: 1"), "zo\u00c3\u00ab  x: 1");
  assert.equal(utf8HeaderValue("plain"), "plain");
});

Deno.test("outboundMode() knows the modes by name", () => {
  for (const [name, mode] of Object.entries(outboundModes)) {
    assert.equal(mode.name, name);
    assert.equal(outboundMode(name), mode);
  }
  assert.equal(outboundMode("toString"), undefined);
});
