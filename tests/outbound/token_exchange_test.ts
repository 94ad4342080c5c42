import assert from "node:assert/strict";
import type { Values } from "../../lib/base/setting.ts";
import { openHttpClient } from "../../lib/base/http_client.ts";
import { type Fields, silentLog } from "../../lib/base/log.ts";
import { tokenExchange } from "../../lib/outbound/token_exchange.ts";
import { fakeClock } from "../fakes/clock.ts";
import { startHandler } from "../fakes/raw_upstream.ts";
import { caller, NamedInbound, startFront } from "../http/support.ts";
import { heardLog } from "../support/watched_log.ts";

type Given = Partial<Values<typeof tokenExchange.settings>>;

/** A token endpoint that gives `for <subject token> 1`, 2, …; or whatever `answer` says. */
function exchanger(answer?: (form: URLSearchParams) => Response | undefined) {
  const asked: URLSearchParams[] = [];
  const server = startHandler(async (request) => {
    const form = new URLSearchParams(await request.text());
    asked.push(form);
    const subject = form.get("subject_token") ?? form.get("assertion");
    return answer?.(form) ??
      Response.json({
        access_token: `for-${subject}-${asked.length}`,
        token_type: "Bearer",
        expires_in: 300,
      });
  });
  return { asked, server, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

function parse(given: Given) {
  const problems: string[] = [];
  const config = tokenExchange.parse(given as Values<typeof tokenExchange.settings>, problems);
  return { config, problems };
}

async function create(origin: string, more: Given = {}) {
  const clock = fakeClock();
  const http = openHttpClient();
  const lines: (Fields & { level: string })[] = [];
  const note = (level: string) => (_: string, fields: Fields = {}) => void lines.push({ ...fields, level });
  const log = heardLog({ warn: note("warn"), error: note("error") });
  const { config, problems } = parse({
    tokenUrl: new URL(`${origin}/token`),
    clientId: "us",
    clientSecret: "our-secret",
    ...more,
  });
  assert.deepEqual(problems, []);
  const outbound = await tokenExchange.create(config, { http, clock, log });
  return { outbound, clock, lines, [Symbol.dispose]: () => http.close() };
}

const alice = caller("alice", { forwardable: "a" });
const bob = caller("bob", { forwardable: "b" });

Deno.test("each user's token is exchanged once for all of that user's calls, and nobody gets another's", async () => {
  await using endpoint = exchanger();
  using made = await create(endpoint.server.origin);
  const { outbound } = made;

  const both = await Promise.all(
    Array.from({ length: 20 }, async (_, at) => await outbound.headers(at % 2 === 0 ? alice : bob)),
  );

  assert.deepEqual(both[0], [["authorization", "Bearer for-a-1"]]);
  assert.deepEqual(both[1], [["authorization", "Bearer for-b-2"]]);
  assert.equal(new Set(both.map(String)).size, 2);
  assert.equal(endpoint.asked.length, 2);
});

Deno.test("the request is that of RFC 8693, with audience, resource and scope where they are set", async () => {
  await using endpoint = exchanger();
  using made = await create(endpoint.server.origin, {
    audience: "api",
    resource: "https://api",
    scope: ["x", "y"],
  });
  await made.outbound.headers(alice);

  assert.deepEqual(Object.fromEntries(endpoint.asked[0] ?? []), {
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    subject_token: "a",
    subject_token_type: "urn:ietf:params:oauth:token-type:access_token",
    requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
    audience: "api",
    resource: "https://api",
    scope: "x y",
    client_id: "us",
    client_secret: "our-secret",
  });
});

Deno.test("Entra is asked in its own words, by the look of its address or by the setting", async () => {
  await using endpoint = exchanger();
  const tokenUrl = new URL(`${endpoint.server.origin}/tenant/oauth2/v2.0/token`);
  for (const given of [{ tokenUrl }, { exchange: "entra" as const }]) {
    using made = await create(endpoint.server.origin, { ...given, scope: ["api://up/.default"] });
    await made.outbound.headers(alice);
  }

  for (const form of endpoint.asked) {
    assert.deepEqual(Object.fromEntries(form), {
      grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
      assertion: "a",
      requested_token_use: "on_behalf_of",
      scope: "api://up/.default",
      client_id: "us",
      client_secret: "our-secret",
    });
  }
  assert.equal(endpoint.asked.length, 2);
});

Deno.test("a new token of the login is exchanged anew, and an exchanged one again a minute before its end", async () => {
  await using endpoint = exchanger();
  using made = await create(endpoint.server.origin);
  await made.outbound.headers(alice);
  await made.clock.advance(239_000);
  assert.deepEqual(await made.outbound.headers(alice), [["authorization", "Bearer for-a-1"]]);
  await made.clock.advance(1_000);

  assert.deepEqual(await made.outbound.headers(alice), [["authorization", "Bearer for-a-2"]]);
  assert.deepEqual(await made.outbound.headers({ ...alice, forwardable: "a2" }), [
    ["authorization", "Bearer for-a2-3"],
  ]);
});

Deno.test("a login without a token to exchange is 401, and nothing is asked", async () => {
  await using endpoint = exchanger();
  using made = await create(endpoint.server.origin);

  for (const without of [caller("carol"), caller("carol", { forwardable: "" })]) {
    await assert.rejects(async () => await made.outbound.headers(without), {
      status: 401,
      code: "invalid_token",
    });
  }
  assert.equal(endpoint.asked.length, 0);
});

Deno.test("a refusal of the user's token is 401, want of consent 403, anything else 503; a line says so and names no token", async () => {
  const entra = (code: string) => ({ error: "invalid_grant", error_description: `${code}: because` });
  const outcomes: [Response, number][] = [
    [Response.json({ error: "invalid_grant" }, { status: 400 }), 401],
    [Response.json({ error: "interaction_required" }, { status: 400 }), 401],
    [Response.json(entra("AADSTS500133"), { status: 400 }), 401],
    [Response.json(entra("AADSTS500131"), { status: 400 }), 503],
    [Response.json(entra("AADSTS65001"), { status: 400 }), 403],
    [Response.json({ error: "consent_required" }, { status: 400 }), 403],
    [Response.json({ error: "access_denied" }, { status: 403 }), 503],
    [Response.json({ error: "invalid_client" }, { status: 401 }), 503],
    [Response.json({ error: "invalid_target" }, { status: 400 }), 503],
    [new Response("busy", { status: 500 }), 503],
    [Response.json({ token_type: "Bearer" }), 503],
  ];
  for (const [answer, status] of outcomes) {
    await using endpoint = exchanger(() => answer);
    using made = await create(endpoint.server.origin);

    await assert.rejects(
      async () => await made.outbound.headers(caller("x", { forwardable: "secret-token" })),
      {
        status,
      },
    );
    assert.equal(made.lines.length, 1);
    assert.equal(made.lines[0]?.level, status === 503 ? "error" : "warn");
    assert.doesNotMatch(JSON.stringify(made.lines), /secret-token|our-secret/);
  }
});

Deno.test("through the surface: the upstream sees the exchanged token only, and its 401 is retried once", async () => {
  await using endpoint = exchanger();
  const http = openHttpClient();
  const clock = fakeClock();
  const inbound = new NamedInbound();
  inbound.callers.set("alice", { ...alice, expiresAtMs: Date.now() + 3_600_000 });
  const seen: (string | null)[] = [];
  const { config } = parse({
    tokenUrl: new URL(`${endpoint.server.origin}/token`),
    clientId: "us",
    clientSecret: "our-secret",
  });
  await using front = await startFront({
    inbound,
    upstream: (request) => {
      seen.push(request.headers.get("authorization"));
      return seen.length === 2 ? new Response(null, { status: 401 }) : Response.json({});
    },
    outbound: () => tokenExchange.create(config, { http, clock, log: silentLog }),
  });
  const send = async () => {
    const headers = { authorization: "Bearer alice", "content-type": "application/json" };
    const response = await fetch(front.url, { method: "POST", headers, body: "{}" });
    await response.body?.cancel();
    return response.status;
  };

  assert.equal(await send(), 200);
  await clock.advance(10_000);
  assert.equal(await send(), 200);

  assert.deepEqual(seen, ["Bearer for-a-1", "Bearer for-a-1", "Bearer for-a-2"]);
  http.close();
});

Deno.test("what is missing is told by the names of the settings", () => {
  assert.match(
    parse({}).problems.join(),
    /token-exchange without OUTBOUND_TOKEN_URL, OUTBOUND_CLIENT_ID, OUTBOUND_CLIENT_SECRET/,
  );
  const entra = parse({
    tokenUrl: new URL("https://e/t/oauth2/v2.0/token"),
    clientId: "a",
    clientSecret: "b",
  });
  assert.match(entra.problems.join(), /OUTBOUND_SCOPES/);
});
