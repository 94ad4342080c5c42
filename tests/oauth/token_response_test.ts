import assert from "node:assert/strict";
import fc from "fast-check";
import { OAuthFailure } from "../../lib/oauth/failure.ts";
import { readMembers, readTokenAnswer } from "../../lib/oauth/token_response.ts";

const now = 1_700_000_000_000;
const read = (body: unknown, status = 200) =>
  readTokenAnswer({ status, body: typeof body === "string" ? body : JSON.stringify(body) }, now);
const failure = (body: unknown, status: number, retryAfter?: string): OAuthFailure => {
  try {
    readTokenAnswer({
      status,
      body: typeof body === "string" ? body : JSON.stringify(body),
      retryAfter: retryAfter ?? null,
    }, now);
  } catch (error) {
    assert.ok(error instanceof OAuthFailure);
    return error;
  }
  return assert.fail("the answer was accepted");
};

Deno.test("readTokenAnswer() reads a full answer", () => {
  assert.deepEqual(
    read({
      access_token: "at",
      token_type: "Bearer",
      expires_in: 300,
      refresh_token: "rt",
      refresh_expires_in: 1800,
      id_token: "it",
      scope: "openid email",
      "not-before-policy": 0,
    }),
    {
      accessToken: "at",
      tokenType: "bearer",
      refreshToken: "rt",
      idToken: "it",
      expiresAtMs: now + 300_000,
      refreshExpiresAtMs: now + 1_800_000,
      scope: "openid email",
    },
  );
});

const lifetimes: [unknown, number | undefined][] = [
  ["3600", 3_600_000],
  ["3600.5", 3_600_500],
  [1e99, 3_153_600_000_000],
  [0, undefined],
  ["0", undefined],
  [-1, undefined],
  [5e-324, undefined],
  [1, 1_000],
  ["", undefined],
  ["soon", undefined],
  [null, undefined],
  [{}, undefined],
];
for (const [given, expected] of lifetimes) {
  Deno.test(`readTokenAnswer() takes expires_in ${JSON.stringify(given)} as ${expected ?? "unknown"}`, () => {
    const set = read({ access_token: "at", expires_in: given });
    assert.equal(set.expiresAtMs, expected === undefined ? undefined : now + expected);
  });
}

Deno.test("readTokenAnswer() reads a form-encoded body, comma scopes and a missing token type", () => {
  assert.deepEqual(read("access_token=a%2Fb&scope=repo%2Cuser&token_type=bearer&expires_in=60"), {
    accessToken: "a/b",
    tokenType: "bearer",
    expiresAtMs: now + 60_000,
    scope: "repo user",
  });
  assert.equal(read('\ufeff {"access_token":"x"} ').tokenType, "bearer");
});

Deno.test("readTokenAnswer() treats empty and null members as absent", () => {
  assert.deepEqual(read({ access_token: "x", refresh_token: "", id_token: null, scope: "" }), {
    accessToken: "x",
    tokenType: "bearer",
  });
});

Deno.test("readTokenAnswer() finds the error inside HTTP 200", () => {
  const found = failure({ error: "bad_verification_code", error_description: "gone" }, 200);
  assert.equal(found.kind, "dead");
  assert.equal(found.code, "bad_verification_code");
  assert.equal(failure("error=bad_refresh_token", 200).kind, "dead");
});

const judgements: [status: number, body: unknown, kind: "dead" | "transient", reason: string][] = [
  [400, { error: "invalid_grant" }, "dead", "invalid_grant"],
  [401, { error: "invalid_client" }, "dead", "invalid_client"],
  [400, { error: "not_allowed" }, "dead", "not_allowed"],
  [400, "nonsense", "dead", "http_400"],
  [401, "", "dead", "http_401"],
  [400, { error: "temporarily_unavailable" }, "transient", "temporarily_unavailable"],
  [400, { error: "authorization_pending" }, "transient", "authorization_pending"],
  [400, { error: "slow_down" }, "transient", "slow_down"],
  [400, { error: "server_error" }, "transient", "server_error"],
  [429, { error: "invalid_grant" }, "transient", "invalid_grant"],
  [500, { error: "invalid_grant" }, "transient", "invalid_grant"],
  [502, "<html>", "transient", "http_502"],
  [403, "<html>blocked", "transient", "http_403"],
  [404, "", "transient", "http_404"],
  [302, "", "transient", "http_302"],
  [200, "<html>captive portal", "transient", "bad_answer"],
  [200, {}, "transient", "bad_answer"],
  [204, "", "transient", "bad_answer"],
  [400, { error: { code: 7 } }, "dead", "unknown_error"],
];
for (const [status, body, kind, reason] of judgements) {
  Deno.test(`readTokenAnswer() judges HTTP ${status} ${JSON.stringify(body)} as ${kind}`, () => {
    const found = failure(body, status);
    assert.equal(found.kind, kind);
    assert.equal(found.reason, reason);
  });
}

Deno.test("readTokenAnswer() carries Retry-After, and no control characters of the description", () => {
  const found = failure({ error: "slow_down", error_description: "a\r\nb\u001b[31m" }, 429, "7");
  assert.equal(found.retryAfterSec, 7);
  assert.doesNotMatch(found.message, /[^\x20-\x7e]/);
  assert.equal(failure({}, 503, "Wed, 21 Oct 2026 07:28:00 GMT").retryAfterSec, undefined);
});

Deno.test("readTokenAnswer() does not repeat a token that the server repeats", () => {
  const secret = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl";
  const { message } = failure(
    { error: "invalid_grant", error_description: `Token ${secret} is not known` },
    400,
  );
  assert.match(message, /^the token endpoint answered invalid_grant \(HTTP 400\): Token \(…\) is not known$/);
});

Deno.test("readTokenAnswer() either gives a token with sane times or throws an OAuthFailure", () => {
  const value = fc.oneof(fc.string(), fc.integer(), fc.double(), fc.constant(null), fc.jsonValue());
  const names = fc.constantFrom(
    "access_token",
    "expires_in",
    "scope",
    "refresh_token",
    "error",
    "token_type",
    "__proto__",
  );
  fc.assert(
    fc.property(fc.dictionary(names, value), fc.integer({ min: 200, max: 599 }), (members, status) => {
      try {
        const set = read(members, status);
        assert.ok(set.accessToken.length > 0);
        assert.ok(
          set.expiresAtMs === undefined || (Number.isFinite(set.expiresAtMs) && set.expiresAtMs > now),
        );
      } catch (error) {
        assert.ok(error instanceof OAuthFailure, String(error));
      }
    }),
  );
  fc.assert(fc.property(fc.string(), (body) => void readMembers(body)));
});
