import assert from "node:assert/strict";
import { Guard, revocationWindowMs } from "../../lib/http/guard.ts";
import { openNone } from "../../lib/inbound/none.ts";
import { fakeClock } from "../fakes/clock.ts";
import { rawRequest, sendRaw } from "./raw_client.ts";
import { recorder } from "./recorder.ts";
import { caller, NamedInbound, startFront } from "./support.ts";

Deno.test("a token is verified once and remembered until it ends", async () => {
  const clock = fakeClock();
  const inbound = new NamedInbound();
  inbound.callers.set("alice", caller("alice", { expiresAtMs: clock.now() + 5_000 }));
  const guard = new Guard(inbound, clock);

  const first = await Promise.all([guard.caller("Bearer alice"), guard.caller("bearer alice")]);
  assert.equal(first[0].subject, "alice");
  assert.equal(inbound.authentications, 1);
  await clock.advance(4_999);
  await guard.caller("Bearer alice");
  assert.equal(inbound.authentications, 1);

  await clock.advance(1);
  await assert.rejects(async () => await guard.caller("Bearer alice"), {
    code: "invalid_token",
    reason: "token_expired",
  });
});

Deno.test("a revocation is noticed within a second although the token is remembered", async () => {
  const clock = fakeClock();
  const inbound = new NamedInbound();
  inbound.callers.set("alice", caller("alice", { expiresAtMs: clock.now() + 3_600_000 }));
  const guard = new Guard(inbound, clock);
  await guard.caller("Bearer alice");

  inbound.revokedGrants.add("alice");
  await clock.advance(revocationWindowMs);

  await assert.rejects(async () => await guard.caller("Bearer alice"), {
    code: "invalid_token",
    status: 401,
  });
});

Deno.test("whether a token was revoked is asked once for all who come, and before its second is over without waiting", async () => {
  const clock = fakeClock();
  const inbound = new NamedInbound();
  inbound.callers.set("alice", caller("alice", { expiresAtMs: clock.now() + 3_600_000 }));
  let asked = 0;
  const answer = Promise.withResolvers<boolean>();
  inbound.revoked = () => {
    asked++;
    return answer.promise;
  };
  const guard = new Guard(inbound, clock);
  await guard.caller("Bearer alice");

  await clock.advance(revocationWindowMs - 1);
  for (let call = 0; call < 3; call++) {
    assert.ok(!(guard.caller("Bearer alice") instanceof Promise), "nobody waits");
  }
  assert.equal(asked, 1);
  await clock.advance(1);
  const waiting = [guard.caller("Bearer alice"), guard.caller("Bearer alice")];
  assert.ok(waiting.every((call) => call instanceof Promise), "the second is over");
  answer.resolve(true);

  for (const call of waiting) await assert.rejects(async () => await call, { reason: "token_revoked" });
  assert.equal(asked, 1);
});

Deno.test("a store that does not answer in time is asked again when the second is over", async () => {
  const clock = fakeClock();
  const inbound = new NamedInbound();
  inbound.callers.set("alice", caller("alice", { expiresAtMs: clock.now() + 3_600_000 }));
  const guard = new Guard(inbound, clock);
  await guard.caller("Bearer alice");
  inbound.revoked = () => Promise.reject(new Error("the store is away"));

  await clock.advance(revocationWindowMs - 1);
  assert.equal((await guard.caller("Bearer alice")).subject, "alice");
  await clock.advance(1);
  await assert.rejects(async () => await guard.caller("Bearer alice"), /away/);
});

Deno.test("nothing that cannot be a token reaches the verifier", async () => {
  const { seen, upstream } = recorder();
  await using front = await startFront({ upstream });

  const refused: [string, RegExp][] = [
    ["Bearer", /Bearer error="invalid_token"/],
    ["Bearer ", /Bearer error="invalid_token"/],
    ["Bearer a b", /Bearer error="invalid_token"/],
    ['Bearer a"b', /Bearer error="invalid_token"/],
    ["Bearer \xe9", /Bearer error="invalid_token"/],
    [`Bearer ${"x".repeat(20_000)}`, /Bearer error="invalid_token"/],
    ["Basic YWxpY2U6", /Bearer resource_metadata/],
    ["alice", /Bearer resource_metadata/],
    ["Bearerx alice", /Bearer resource_metadata/],
  ];
  for (const [value, challenge] of refused) {
    const answer = await sendRaw(
      front.port,
      rawRequest("POST /mcp HTTP/1.1", [`Authorization: ${value}`], "{}"),
    );
    assert.equal(answer.status, 401, value.slice(0, 30));
    assert.match(/\nwww-authenticate: ([^\r]*)/i.exec(answer.text)?.[1] ?? "", challenge, value.slice(0, 30));
    assert.match(answer.text, /\ncache-control: no-store/i);
  }

  assert.equal(front.inbound.authentications, 0);
  assert.equal(seen.length, 0);
});

Deno.test("an unknown token is refused with invalid_token, a lower-case scheme is accepted", async () => {
  const { seen, upstream } = recorder();
  await using front = await startFront({ upstream });

  const unknown = await sendRaw(
    front.port,
    rawRequest("POST /mcp HTTP/1.1", ["Authorization: Bearer mallory"], "{}"),
  );
  const lower = await sendRaw(
    front.port,
    rawRequest("POST /mcp HTTP/1.1", ["Authorization: bearer alice"], "{}"),
  );

  assert.equal(unknown.status, 401);
  assert.match(unknown.text, /error="invalid_token"/);
  assert.equal(lower.status, 200);
  assert.equal(seen.length, 1);
});

Deno.test("where nobody is asked who they are, a call without credentials goes through, and so does one with any", async () => {
  const guard = new Guard(openNone(), fakeClock());

  for (const authorization of [null, "Bearer whatever", "Basic eDp5"]) {
    assert.equal((await guard.caller(authorization)).subject, "local", String(authorization));
  }
});
