import assert from "node:assert/strict";
import { bridgeKit, login, refresh, type TokenBody } from "./kit.ts";

Deno.test("the bridge takes a client from registration to an authenticated call and a refresh", async () => {
  const kit = await bridgeKit();

  const { back, clientId, tokens } = await login(kit.app);
  const caller = await kit.bridge.authenticate(tokens.access_token);
  const next = await refresh(kit.app, clientId, tokens.refresh_token);

  assert.equal(back.origin + back.pathname, "https://client.example/callback");
  assert.equal(back.searchParams.get("state"), "the-state");
  assert.equal(back.searchParams.get("iss"), "https://door.example");
  assert.equal(tokens.token_type, "Bearer");
  assert.equal(tokens.expires_in, 3600);
  assert.equal(tokens.scope, "openid email");
  assert.equal(caller.subject, "alice");
  assert.equal(caller.email, "alice@example.com");
  assert.deepEqual(caller.groups, ["staff"]);
  assert.equal(caller.claims["department"], "ops");
  assert.equal(caller.forwardable, undefined);
  assert.equal(next.status, 200);
  const renewed = await next.json() as TokenBody;
  assert.equal((await kit.bridge.authenticate(renewed.access_token)).subject, "alice");
});

Deno.test("a new bridge with the same keys and store goes on between any two steps", async () => {
  const kit = await bridgeKit();
  const restarting = {
    request: (...args: Parameters<typeof kit.app.request>) => kit.start().app.request(...args),
  };

  const { clientId, tokens } = await login(restarting);
  const next = await refresh(restarting, clientId, tokens.refresh_token);

  assert.equal(next.status, 200);
  assert.equal((await kit.start().bridge.authenticate(tokens.access_token)).subject, "alice");
});

Deno.test("endpoints answer another method with 405 and the methods that they have", async () => {
  const { app } = await bridgeKit();
  const allowed = {
    "/authorize": "GET, HEAD",
    "/auth/callback": "GET, HEAD",
    "/consent": "POST",
    "/token": "POST, OPTIONS",
    "/revoke": "POST, OPTIONS",
    "/register": "POST, OPTIONS",
  };

  for (const [path, allow] of Object.entries(allowed)) {
    for (const method of ["GET", "POST", "PUT", "DELETE", "PATCH"]) {
      if (allow.includes(method)) continue;
      const response = await app.request(path, { method });
      assert.equal(response.status, 405, `${method} ${path}`);
      assert.equal(response.headers.get("allow"), allow);
    }
  }
  assert.equal((await app.request("/authorize", { method: "HEAD" })).status, 400);
});

for (
  const [what, change, reason] of [
    ["whose subject is on no list any more", { subjects: ["bob"] }, "not_allowed"],
    ["whose domain is on no list any more", { domains: ["other.example"] }, "not_allowed"],
    ["who is in no listed group", { groups: ["admins"] }, "not_allowed"],
  ] as const
) {
  Deno.test(`the token of a user ${what} is 403 at the next start, before it ends`, async () => {
    const kit = await bridgeKit();
    const { tokens } = await login(kit.app);
    const allow = { ...kit.config.allow, ...change };
    const { bridge } = kit.start({ config: { ...kit.config, allow } });

    await assert.rejects(bridge.authenticate(tokens.access_token), {
      status: 403,
      code: "access_denied",
      reason,
    });
    assert.equal((await kit.start().bridge.authenticate(tokens.access_token)).subject, "alice");
  });
}
