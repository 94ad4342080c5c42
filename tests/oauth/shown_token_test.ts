import assert from "node:assert/strict";
import { logToken, shownToken } from "../../lib/oauth/shown_token.ts";
import type { Logger } from "../../lib/base/log.ts";

Deno.test("a token is shown as issuer, audience, scopes and expiry, and nothing else of it", () => {
  const token = jwt({
    iss: "https://idp.example",
    aud: ["a", "b"],
    scp: ["read", "write"],
    exp: 1_800_000_000,
    sub: "alice",
    email: "alice@example.com",
  });

  assert.deepEqual(shownToken(token), {
    issuer: "https://idp.example",
    audience: "a b",
    scopes: "read write",
    expiresAt: "2027-01-15T08:00:00.000Z",
  });
});

Deno.test("of an opaque token what its issuer said is shown, and of one whose claims make no sense nothing", () => {
  const known = { issuer: "https://idp.example", scope: "openid", expiresAtMs: 0 };

  assert.deepEqual(shownToken("opaque", known), {
    issuer: "https://idp.example",
    scopes: "openid",
    expiresAt: "1970-01-01T00:00:00.000Z",
  });
  assert.deepEqual(shownToken(jwt({ iss: 7, aud: {}, scope: null, exp: 1e300 })), {});
  for (const odd of ["", "a.b.c", "..", jwt("text")]) assert.deepEqual(shownToken(odd), {});
});

Deno.test("a token is looked into only where debug lines are written", () => {
  const written: unknown[] = [];
  for (const level of ["info", "debug"]) {
    const log = { enabled: () => level === "debug", debug: (...line: unknown[]) => written.push(line) };
    logToken(log as unknown as Logger, "token", "opaque", { issuer: "i" });
  }

  assert.deepEqual(written, [["token", { issuer: "i" }]]);
});

function jwt(claims: unknown): string {
  const part = (value: unknown) =>
    new TextEncoder().encode(JSON.stringify(value)).toBase64({ alphabet: "base64url", omitPadding: true });
  return `${part({ alg: "none" })}.${part(claims)}.c2ln`;
}
