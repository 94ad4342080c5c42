import assert from "node:assert/strict";
import { silentLog } from "../../lib/base/log.ts";
import { grantOf } from "../../lib/stdio/new_grant.ts";

Deno.test("grantOf() gives a login one instant, however the clock goes on meanwhile", () => {
  let nowMs = 1_000;
  const clock = { now: () => nowMs++, sleep: () => Promise.resolve() };
  const facts = {
    upstream: "http://127.0.0.1/mcp",
    issuer: "http://127.0.0.1",
    clientId: "client",
    profile: "default",
    scopesAsked: [],
    how: "browser",
  } as const;

  const grant = grantOf({ clock, log: silentLog }, { accessToken: "token", tokenType: "bearer" }, facts);

  assert.equal(grant.obtainedAtMs, grant.loggedInAtMs);
});
