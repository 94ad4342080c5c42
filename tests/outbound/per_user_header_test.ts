import assert from "node:assert/strict";
import fc from "fast-check";
import { openHttpClient } from "../../lib/base/http_client.ts";
import { silentLog } from "../../lib/base/log.ts";
import { fillHeaderTemplate, parseHeaderTemplate } from "../../lib/outbound/header_template.ts";
import { perUserHeader } from "../../lib/outbound/per_user_header.ts";
import { fakeClock } from "../fakes/clock.ts";
import { caller, NamedInbound, startFront } from "../http/support.ts";

const claims = {
  email: "älice@example.com",
  level: 3,
  admin: false,
  realm_access: { roles: ["a", "b"] },
  "https://x.example/team": "blue",
  split: "one\r\nx-evil: 1",
  commas: ["a,b"],
  object: {},
  empty: "",
  nothing: null,
};

function fill(template: string) {
  return fillHeaderTemplate(parseHeaderTemplate(template) ?? [], claims);
}

Deno.test("a template is filled with texts, numbers, booleans, lists and paths", () => {
  assert.equal(fill("{email}"), "älice@example.com");
  assert.equal(fill("level={level};admin={admin}"), "level=3;admin=false");
  assert.equal(fill("{realm_access.roles}"), "a,b");
  assert.equal(fill("{https://x.example/team}"), "blue");
  assert.equal(fill("{{{email}}}"), "{älice@example.com}");
});

Deno.test("what is missing or would make another header of it is named", () => {
  for (const claim of ["absent", "empty", "nothing", "realm_access.none", "constructor", "__proto__"]) {
    assert.deepEqual(fill(`x{${claim}}`), { claim, reason: "missing" });
  }
  for (const claim of ["split", "commas", "object"]) {
    assert.deepEqual(fill(`x{${claim}}`), { claim, reason: "not_text" });
  }
});

Deno.test("a template with odd braces, or without a claim, is refused", () => {
  for (const source of ["", "text", "{", "}", "{email", "email}", "{}", "{ email }", "{a{b}}", "{{email}}"]) {
    assert.equal(parseHeaderTemplate(source), undefined, source);
  }
});

Deno.test("whatever the claims are, a filled header is one line", () => {
  const template = parseHeaderTemplate("a={a};b={b}") ?? [];
  fc.assert(fc.property(fc.record({ a: fc.jsonValue(), b: fc.jsonValue() }), (given) => {
    const filled = fillHeaderTemplate(template, given);
    // deno-lint-ignore no-control-regex -- control characters are what is looked for
    if (typeof filled === "string") assert.doesNotMatch(filled, /[\u0000-\u001f\u007f]/);
  }));
});

Deno.test("through the surface: each user's own header reaches the upstream, a forged one never, and who lacks the claim is 403", async () => {
  const http = openHttpClient();
  const inbound = new NamedInbound();
  inbound.callers.set("alice", caller("alice", { claims: { tid: "älpha" } }));
  inbound.callers.set("bob", caller("bob", { claims: {} }));
  const seen: (string | null)[] = [];
  const problems: string[] = [];
  const config = perUserHeader.parse({ headerName: "X-Tenant", template: "t={tid}" }, problems);
  assert.deepEqual(problems, []);
  await using front = await startFront({
    inbound,
    upstream: (request) => {
      seen.push(request.headers.get("x-tenant"), request.headers.get("authorization"));
      return Response.json({});
    },
    outbound: () => perUserHeader.create(config, { http, clock: fakeClock(), log: silentLog }),
  });
  const send = async (token: string) => {
    const response = await fetch(front.url, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json", "x-tenant": "t=evil" },
      body: "{}",
    });
    await response.body?.cancel();
    return response.status;
  };

  assert.deepEqual([await send("alice"), await send("bob")], [200, 403]);
  const utf8 = String.fromCharCode(...new TextEncoder().encode("t=älpha"));
  assert.deepEqual(seen, [utf8, null]);
  http.close();
});

Deno.test("what is missing is told by the names of the settings", () => {
  const problems: string[] = [];
  perUserHeader.parse({ headerName: "Host", template: undefined }, problems);

  assert.match(problems.join("\n"), /OUTBOUND_HEADER_TEMPLATE is missing/);
  assert.match(problems.join("\n"), /OUTBOUND_HEADER_NAME is "Host"/);
});
