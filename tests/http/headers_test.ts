import assert from "node:assert/strict";
import fc from "fast-check";
import { mayGoOn } from "../../lib/upstream/headers.ts";
import { staticHeader } from "../../lib/outbound/static.ts";
import { rawRequest, sendRaw } from "./raw_client.ts";
import { recorder } from "./recorder.ts";
import { caller, NamedInbound, startFront } from "./support.ts";

const token = "Authorization: Bearer alice";

const forged = [
  "Cookie: a=b",
  "Proxy-Authorization: Basic eA==",
  "Forwarded: for=6.6.6.6",
  "X-Forwarded-For: 6.6.6.6",
  "X-Forwarded-Host: evil",
  "X-Forwarded-Proto: https",
  "X-Forwarded-Port: 1",
  "X-Forwarded-User: root",
  "X-Forwarded-Email: root@x",
  "X-Forwarded-Prefix: /x",
  "X_Forwarded_For: 6.6.6.6",
  "X-Real-IP: 6.6.6.6",
  "True-Client-IP: 6.6.6.6",
  "CF-Connecting-IP: 6.6.6.6",
  "X-Original-URI: /admin",
  "X-Original-Host: evil",
  "X-Rewrite-URL: /admin",
  "X-User-Sub: root",
  "X-User-Id: root",
  "X_User_Sub: root",
  "X-User_Sub: root",
  "X.User.Sub: root",
  "Mcp_Session_Id: of-somebody-else",
  "X-User-Email: root@x",
  "X-User-Groups: admin",
  "X-Remote-User: root",
  "Remote-User: root",
  "Remote_User: root",
  "X-Auth-Request-Email: root@x",
  "X-Auth-User: root",
  "X_Auth_User: root",
  "X-Authenticated-User: root",
  "X-Client-Cert: x",
  "X-SSL-Client-CN: root",
  "X-Goog-Authenticated-User-Email: root@x",
  "X-Ms-Client-Principal: x",
  "X-Amzn-Oidc-Data: x",
  "X-Request-Id: forged",
  "X-HTTP-Method-Override: DELETE",
  "Origin: https://claude.ai",
  "Referer: https://claude.ai/",
  "TE: trailers",
  "Upgrade: h2c",
  "Via: 1.1 x",
];

Deno.test("nothing that says who somebody is or where a request comes from passes, in any spelling", async () => {
  const { seen, upstream } = recorder();
  const inbound = new NamedInbound();
  inbound.callers.set("alice", caller("alice", { groups: ["dev", "ops"] }));
  await using front = await startFront({ upstream, inbound });

  const answer = await sendRaw(front.port, rawRequest("POST /mcp HTTP/1.1", [token, ...forged], "{}"));

  assert.equal(answer.status, 200, answer.text);
  const [one] = seen;
  assert.ok(one !== undefined);
  const allowed = [
    "accept",
    "accept-encoding",
    "accept-language",
    "content-length",
    "host",
    "user-agent",
    "x-user-email",
    "x-user-groups",
    "x-user-sub",
  ];
  assert.deepEqual([...one.headers.keys()].filter((name) => !allowed.includes(name)), []);
  assert.equal(one.headers.get("x-user-sub"), "alice");
  assert.equal(one.headers.get("x-user-email"), "alice@example.com");
  assert.equal(one.headers.get("x-user-groups"), "dev,ops");
});

Deno.test("who has no groups gets no header of groups, who has no address an empty one", async () => {
  const { seen, upstream } = recorder();
  const inbound = new NamedInbound();
  const { email: _, ...nameless } = caller("alice", { groups: ["", "a,b"] });
  inbound.callers.set("alice", nameless);
  await using front = await startFront({ upstream, inbound });

  await sendRaw(front.port, rawRequest("POST /mcp HTTP/1.1", [token], "{}"));

  const told = [...seen[0]?.headers ?? []].filter(([name]) => name.startsWith("x-user-"));
  assert.deepEqual(told, [["x-user-email", ""], ["x-user-sub", "alice"]]);
});

Deno.test("a version or a method that is there twice is refused, after the token", async () => {
  const { seen, upstream } = recorder();
  await using front = await startFront({ upstream });

  for (
    const [name, one, other] of [
      ["MCP-Protocol-Version", "2025-06-18", "2026-07-28"],
      ["Mcp-Method", "tools/list", "tools/call"],
    ]
  ) {
    const twice = [`${name}: ${one}`, `${name}: ${other}`];
    const status = async (headers: string[]) =>
      (await sendRaw(front.port, rawRequest("POST /mcp HTTP/1.1", headers, "{}"))).status;
    assert.equal(await status([token, ...twice]), 400);
    assert.equal(await status(twice), 401);
  }

  assert.equal(seen.length, 0);
});

Deno.test("what MCP and the application need passes as it came", async () => {
  const { seen, upstream } = recorder();
  await using front = await startFront({ upstream });
  const kept = [
    "accept: application/json, text/event-stream",
    "content-type: application/json",
    "mcp-protocol-version: 2026-07-28",
    "mcp-method: tools/call",
    "mcp-name: =?base64?eA==?=",
    "mcp-param-region: EU",
    "mcp-param-my_name: x",
    "last-event-id: 7",
    "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "tracestate: a=b",
    "baggage: k=v",
    "x-tenant: one",
    "user-agent: Client/1",
  ];

  await sendRaw(front.port, rawRequest("POST /mcp HTTP/1.1", [token, ...kept], "{}"));

  for (const line of kept) {
    const [name = "", value] = line.split(": ");
    assert.equal(seen[0]?.headers.get(name), value, name);
  }
});

Deno.test("a Connection header removes what it names from the client's headers and never from ours", async () => {
  const { seen, upstream } = recorder();
  await using front = await startFront({ upstream });
  const lines = [
    token,
    "Connection: x-secret, x-user-sub, authorization, mcp-session-id",
    "X-Secret: 1",
    "X-Kept: 2",
  ];

  await sendRaw(front.port, rawRequest("POST /mcp HTTP/1.1", lines, "{}"));

  assert.equal(seen[0]?.headers.get("x-secret"), null);
  assert.equal(seen[0]?.headers.get("x-kept"), "2");
  assert.equal(seen[0]?.headers.get("x-user-sub"), "alice");
});

Deno.test("identity headers carry any text as UTF-8 bytes and can be switched off", async () => {
  const got: string[] = [];
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for (let count = 0; count < 2; count++) {
      using conn = await listener.accept();
      const buffer = new Uint8Array(16_384);
      const size = await conn.read(buffer) ?? 0;
      got.push(new TextDecoder().decode(buffer.subarray(0, size)));
      await conn.write(
        new TextEncoder().encode("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"),
      );
    }
  })();
  const inbound = new NamedInbound();
  inbound.callers.set("zoe", caller("zoë\r\nx-evil: 1", { groups: ["größe", "a,b", ""] }));
  const upstream = new URL(`http://127.0.0.1:${listener.addr.port}/mcp`);
  for (const identityHeaders of [true, false]) {
    await using front = await startFront({ upstream, inbound, settings: { identityHeaders } });
    await sendRaw(front.port, rawRequest("POST /mcp HTTP/1.1", ["Authorization: Bearer zoe"], "{}"));
  }
  await serving;

  assert.match(got[0] ?? "", /^x-user-sub: zoë {1,2}x-evil: 1\r$/m);
  assert.match(got[0] ?? "", /^x-user-groups: größe\r$/m);
  assert.doesNotMatch(got[0] ?? "", /^x-evil/m);
  assert.doesNotMatch(got[1] ?? "", /^x-user/m);
});

Deno.test("the client's bearer never passes, whatever header the proxy's own credential has", async () => {
  const { seen, upstream } = recorder();
  await using front = await startFront({
    upstream,
    outbound: (context) => staticHeader.create({ name: "x-api-key", value: "ours" }, context),
  });

  await sendRaw(
    front.port,
    rawRequest("POST /mcp HTTP/1.1", [token, "X-API-Key: theirs", "X_Api_Key: theirs"], "{}"),
  );

  assert.equal(seen[0]?.headers.get("authorization"), null);
  assert.equal(seen[0]?.headers.get("x-api-key"), "ours");
  assert.equal(seen[0]?.headers.get("x_api_key"), null);
});

Deno.test("fixed headers go with every request in place of the client's own, after the mode's credential in rank", async () => {
  const { seen, upstream } = recorder();
  await using front = await startFront({
    upstream,
    settings: { upstreamHeaders: [["x-tenant", "ours"], ["x_key", "fixed"], ["x-api-key", "fixed"]] },
    outbound: (context) => staticHeader.create({ name: "x-api-key", value: "the credential" }, context),
  });

  const theirs = [
    "X-Tenant: theirs",
    "X_Tenant: theirs",
    "X-Key: theirs",
    "X_Key: theirs",
    "X-Api-Key: theirs",
  ];
  await sendRaw(front.port, rawRequest("POST /mcp HTTP/1.1", [token, ...theirs], "{}"));

  const sent = [...seen[0]?.headers ?? []].filter(([name]) => /^x[-_](tenant|key|api)/.test(name));
  assert.deepEqual(sent, [["x-api-key", "the credential"], ["x-tenant", "ours"], ["x_key", "fixed"]]);
});

Deno.test("an upstream's cookies, challenges, CORS and connection headers are not shown as ours", async () => {
  const { upstream } = recorder(() =>
    new Response("{}", {
      headers: {
        "content-type": "text/html",
        "set-cookie": "a=b",
        "www-authenticate": 'Bearer realm="inside"',
        "access-control-allow-origin": "*",
        "connection": "x-inner",
        "x-inner": "1",
        "server": "inside/1.0",
        "x-powered-by": "x",
        "location": "http://inside/",
        "content-security-policy": "default-src *",
        "strict-transport-security": "max-age=0",
        "cache-control": "public, max-age=99",
        "mcp-protocol-version": "2025-06-18",
        "mcp-later": "kept",
        "etag": '"1"',
      },
    })
  );
  await using front = await startFront({ upstream });

  const answer = await sendRaw(front.port, rawRequest("POST /mcp HTTP/1.1", [token], "{}"));

  const head = answer.text.slice(0, answer.text.indexOf("\r\n\r\n")).toLowerCase();
  for (
    const name of [
      "set-cookie",
      "www-authenticate",
      "access-control",
      "x-inner",
      "server:",
      "x-powered",
      "location",
    ]
  ) {
    assert.ok(!head.includes(`\n${name}`), name);
  }
  assert.match(head, /\ncontent-security-policy: default-src 'none'; frame-ancestors 'none'\r/);
  assert.equal(head.match(/\nstrict-transport-security:/g)?.length, 1);
  assert.match(head, /\nx-content-type-options: nosniff/);
  assert.match(head, /\nx-frame-options: deny/);
  assert.match(head, /\nreferrer-policy: no-referrer/);
  assert.match(head, /\ncache-control: no-store, no-transform\r/);
  assert.match(head, /\nmcp-later: kept/);
  assert.match(head, /\netag: "1"/);
});

Deno.test("an answer that no browser shows as a page is kept from being taken for one, and carries no more", async () => {
  for (const type of ["application/json", "application/json; charset=utf-8", "text/event-stream"]) {
    const { upstream } = recorder(() =>
      new Response("", { headers: { "content-type": type, "content-security-policy": "default-src *" } })
    );
    await using front = await startFront({ upstream });

    const answer = await sendRaw(front.port, rawRequest("POST /mcp HTTP/1.1", [token], "{}"));

    assert.match(answer.text, /\nx-content-type-options: nosniff\r/i, type);
    assert.doesNotMatch(answer.text, /\n(?:content-security-policy|x-frame-options)/i, type);
  }
});

Deno.test("every public answer carries the security headers and our own request id", async () => {
  const { upstream } = recorder();
  await using front = await startFront({ upstream });

  for (
    const [line, status] of [["GET /healthz", 200], ["GET /none", 404], ["GET /mcp", 401], [
      "GET /mcp/../x",
      400,
    ]] as const
  ) {
    const answer = await sendRaw(front.port, rawRequest(`${line} HTTP/1.1`, ["X-Request-Id: forged"]));
    assert.equal(answer.status, status);
    for (
      const name of [
        "strict-transport-security",
        "x-content-type-options",
        "x-frame-options",
        "referrer-policy",
        "content-security-policy",
      ]
    ) {
      assert.ok(answer.text.toLowerCase().includes(`\n${name}: `), `${line}: ${name}`);
    }
    assert.match(answer.text, /\nx-request-id: [0-9a-f]{8}-\d+\r/i);
  }
});

Deno.test("mayGoOn() judges `_` and `.` as `-`, and lets names of MCP through in their own spelling only", () => {
  const name = fc.string({ unit: fc.constantFrom(..."abcdefxmpu-_."), minLength: 1, maxLength: 16 });
  fc.assert(fc.property(name, (text) => {
    const plain = text.replaceAll(/[_.]/g, "-");
    if (text.startsWith("mcp-")) assert.ok(mayGoOn(text));
    else assert.equal(mayGoOn(text), !plain.startsWith("mcp-") && mayGoOn(plain));
  }));
  fc.assert(fc.property(fc.constantFrom(...forged), (line) => {
    assert.equal(mayGoOn((line.split(":")[0] ?? "").toLowerCase()), false);
  }));
});
