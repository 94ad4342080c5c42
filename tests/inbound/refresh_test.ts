import assert from "node:assert/strict";
import { IdpError } from "../../lib/idp/idp.ts";
import { StoreUnavailable } from "../../lib/store/store.ts";
import { bridgeKit, type Kit, login, refresh, registerClient, type TokenBody } from "./kit.ts";
import { heardLog } from "../support/watched_log.ts";

const follows = { tokenFollowsIdp: true };

async function refreshed(kit: Kit, clientId: string, token: string, changes = {}): Promise<TokenBody> {
  const response = await refresh(kit.app, clientId, token, changes);
  assert.equal(response.status, 200, await response.clone().text());
  return await response.json();
}

async function assertRefused(response: Response, reason: string, status = 400, error = "invalid_grant") {
  const body = await response.json();
  assert.equal(body.error_code, reason, JSON.stringify(body));
  assert.equal(body.error, error);
  assert.equal(response.status, status);
}

/** Lets the clock go on, in small steps, until the work is done. */
async function passingTime<T>(kit: Kit, work: Promise<T>): Promise<T> {
  let done = false;
  work.finally(() => done = true).catch(() => {});
  while (!done) {
    await kit.clock.advance(10);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return await work;
}

Deno.test("a refresh gives a new pair each time, and every one of them works", async () => {
  const kit = await bridgeKit();
  const { clientId, tokens } = await login(kit.app);
  const seen = new Set([tokens.refresh_token]);
  let at = tokens;
  for (let turn = 0; turn < 10; turn++) {
    await kit.clock.advance(3_600_000);
    at = await refreshed(kit, clientId, at.refresh_token);
    await kit.bridge.authenticate(at.access_token);
    seen.add(at.refresh_token);
  }

  assert.equal(seen.size, 11);
});

Deno.test("twenty refreshes with one token at once: twenty answers, one successor, one call at the IdP", async () => {
  const kit = await bridgeKit({ config: follows });
  const { clientId, tokens } = await login(kit.app);
  // Two bridges over one store, as two processes would be.
  const apps = [kit.app, kit.start().app];

  const running = Promise.all(
    Array.from({ length: 20 }, (_, at) => refresh(apps[at % 2] ?? kit.app, clientId, tokens.refresh_token)),
  );
  const all = await passingTime(kit, running);
  const bodies = await Promise.all(all.map((response) => response.json() as Promise<TokenBody>));

  assert.deepEqual(all.map(({ status }) => status), Array(20).fill(200));
  assert.equal(new Set(bodies.map((body) => body.refresh_token)).size, 1);
  assert.equal(kit.idp.calls.refresh, 1);
  for (const body of bodies) await kit.bridge.authenticate(body.access_token);
});

Deno.test("twenty refreshes in two processes without an IdP call give one successor as well", async () => {
  const kit = await bridgeKit();
  const { clientId, tokens } = await login(kit.app);
  const apps = [kit.app, kit.start().app, kit.start().app];

  const bodies = await Promise.all(Array.from({ length: 21 }, async (_, at) => {
    const response = await refresh(apps[at % 3] ?? kit.app, clientId, tokens.refresh_token);
    assert.equal(response.status, 200);
    return await response.json() as TokenBody;
  }));

  assert.equal(new Set(bodies.map((body) => body.refresh_token)).size, 1);
});

Deno.test("a lost answer costs nothing: the same token gives the same successor within the grace", async () => {
  const kit = await bridgeKit({ config: follows });
  const { clientId, tokens } = await login(kit.app);
  const first = await refreshed(kit, clientId, tokens.refresh_token);
  await kit.clock.advance(59_000);

  const again = await (await refresh(kit.start().app, clientId, tokens.refresh_token)).json() as TokenBody;

  assert.equal(again.refresh_token, first.refresh_token);
  assert.equal(again.access_token, first.access_token);
  assert.equal(again.expires_in, first.expires_in - 59);
  assert.equal(kit.idp.calls.refresh, 1);
});

Deno.test("after the grace an old token ends the family, the newest one included", async () => {
  const kit = await bridgeKit();
  const { clientId, tokens } = await login(kit.app);
  const next = await refreshed(kit, clientId, tokens.refresh_token);
  await kit.clock.advance(60_000);

  await assertRefused(await refresh(kit.app, clientId, tokens.refresh_token), "refresh_reuse_detected");

  await assertRefused(await refresh(kit.app, clientId, next.refresh_token), "refresh_family_revoked");
  await assert.rejects(kit.bridge.authenticate(next.access_token), { reason: "token_revoked" });
  assert.ok(
    [...kit.counters.entries()].some(({ name, labels }) =>
      name === "mcp_auth_replay_detected_total" && labels["kind"] === "refresh"
    ),
  );
});

Deno.test("an old token is known for one even when those after it live shorter", async () => {
  const kit = await bridgeKit({ config: follows });
  const { clientId, tokens } = await login(kit.app);
  const refreshAtIdp = kit.idp.refresh;
  kit.idp.refresh = async (token) => {
    const { tokens, ...rest } = await refreshAtIdp(token);
    return { ...rest, tokens: { ...tokens, refreshExpiresAtMs: kit.clock.now() + 60_000 } };
  };
  await refreshed(kit, clientId, tokens.refresh_token);
  await kit.clock.advance(3_600_000);

  await assertRefused(await refresh(kit.app, clientId, tokens.refresh_token), "refresh_reuse_detected");
});

Deno.test("without a grace the second use ends the family", async () => {
  const kit = await bridgeKit({ config: { refreshGraceMs: 0 } });
  const { clientId, tokens } = await login(kit.app);
  const next = await refreshed(kit, clientId, tokens.refresh_token);

  await assertRefused(await refresh(kit.app, clientId, tokens.refresh_token), "refresh_reuse_detected");
  await assertRefused(await refresh(kit.app, clientId, next.refresh_token), "refresh_family_revoked");
});

Deno.test("a slow request whose successor was used meanwhile gets the newest", async () => {
  const kit = await bridgeKit();
  const { clientId, tokens } = await login(kit.app);
  const second = await refreshed(kit, clientId, tokens.refresh_token);
  const third = await refreshed(kit, clientId, second.refresh_token);

  const late = await refreshed(kit, clientId, tokens.refresh_token);

  assert.equal(late.refresh_token, third.refresh_token);
});

Deno.test("a refresh token is its client's alone", async () => {
  const kit = await bridgeKit();
  const { clientId, tokens } = await login(kit.app);
  const other = await registerClient(kit.app);

  await assertRefused(
    await refresh(kit.app, other.client_id, tokens.refresh_token),
    "refresh_client_mismatch",
  );
  await refreshed(kit, clientId, tokens.refresh_token);
});

Deno.test("a refresh may ask for fewer scopes, never for more; what is unknown is passed over", async () => {
  const kit = await bridgeKit();
  const { clientId, tokens } = await login(kit.app, { query: { scope: "openid" } });

  await assertRefused(
    await refresh(kit.app, clientId, tokens.refresh_token, { scope: "openid email" }),
    "scope_exceeded",
    400,
    "invalid_scope",
  );
  const same = await refreshed(kit, clientId, tokens.refresh_token, { scope: "openid offline_access" });
  assert.equal(same.scope, "openid");
  const all = await login(kit.app);
  const fewer = await refreshed(kit, all.clientId, all.tokens.refresh_token, { scope: "email" });
  const full = await refreshed(kit, all.clientId, fewer.refresh_token);
  assert.deepEqual((await kit.bridge.authenticate(fewer.access_token)).scopes, ["email"]);
  assert.equal(full.scope, "openid email");
});

Deno.test("a refresh needs no resource, and takes no other", async () => {
  const kit = await bridgeKit();
  const { clientId, tokens } = await login(kit.app);

  const foreign = await refresh(kit.app, clientId, tokens.refresh_token, {
    resource: "https://other.example/",
  });
  await assertRefused(foreign, "resource_unknown", 400, "invalid_target");
  await refreshed(kit, clientId, tokens.refresh_token);
});

Deno.test("a refresh token slides for seven days, and the login ends after ninety", async () => {
  const kit = await bridgeKit();
  const { clientId, tokens } = await login(kit.app);
  let at = tokens;
  for (let day = 0; day < 89; day++) {
    await kit.clock.advance(86_400_000);
    at = await refreshed(kit, clientId, at.refresh_token);
  }
  const idle = await login(kit.app);

  await kit.clock.advance(86_400_000);
  await assertRefused(await refresh(kit.app, clientId, at.refresh_token), "refresh_expired");
  await kit.clock.advance(6 * 86_400_000);
  await assertRefused(await refresh(kit.app, idle.clientId, idle.tokens.refresh_token), "refresh_expired");
});

Deno.test("a wiped store logs nobody out", async () => {
  const kit = await bridgeKit({ config: follows });
  const { clientId, tokens } = await login(kit.app);
  const next = await refreshed(kit, clientId, tokens.refresh_token);
  const { memoryStore } = await import("../../lib/store/memory.ts");
  const { app, bridge } = kit.start({ store: memoryStore(kit.clock) });

  assert.equal((await bridge.authenticate(next.access_token)).subject, "alice");
  const response = await refresh(app, clientId, next.refresh_token);
  assert.equal(response.status, 200);
});

Deno.test("keys that were rotated log nobody out", async () => {
  const kit = await bridgeKit();
  const { clientId, tokens, jar } = await login(kit.app);
  const old = "a-signing-secret-for-tests-0123456789";
  const sealer = await kit.sealerOf(["a-second-signing-secret-0123456789-xyz", old]);
  const { app, bridge } = kit.start({ sealer });

  assert.equal((await bridge.authenticate(tokens.access_token)).subject, "alice");
  const response = await refresh(app, clientId, tokens.refresh_token);
  const next = await response.json() as TokenBody;
  assert.equal(response.status, 200);
  await login(app, { clientId, jar });
  const alone = kit.start({ sealer: await kit.sealerOf(["a-second-signing-secret-0123456789-xyz"]) });
  assert.equal((await alone.bridge.authenticate(next.access_token)).subject, "alice");
});

Deno.test("with forward our token ends no later than the IdP's, and a refresh here is one there", async () => {
  const kit = await bridgeKit({ config: follows });
  kit.idp.tokens = { accessToken: "idp-access", refreshToken: "r", expiresAtMs: kit.clock.now() + 300_500 };
  const { clientId, tokens } = await login(kit.app);

  const next = await refreshed(kit, clientId, tokens.refresh_token);

  assert.equal(tokens.expires_in, 300);
  assert.equal((await kit.bridge.authenticate(tokens.access_token)).forwardable, "idp-access");
  assert.equal((await kit.bridge.authenticate(next.access_token)).forwardable, "idp-access-1");
  assert.equal(kit.idp.calls.refresh, 1);
});

Deno.test("with forward and no refresh token from the IdP there is none from us, said once", async () => {
  const events: string[] = [];
  const kit = await bridgeKit({
    config: follows,
    log: heardLog({ warn: (event) => void events.push(event) }),
  });
  kit.idp.tokens = { accessToken: "idp-access", expiresAtMs: kit.clock.now() + 600_000 };

  const first = await login(kit.app);
  await login(kit.app);

  assert.ok(!Object.hasOwn(first.tokens, "refresh_token"));
  assert.equal(first.tokens.expires_in, 600);
  assert.deepEqual(events, ["idp_gave_no_refresh_token"]);
});

Deno.test("with forward our refresh token ends no later than the IdP's", async () => {
  const kit = await bridgeKit({ config: follows });
  kit.idp.tokens = { ...kit.idp.tokens, refreshExpiresAtMs: kit.clock.now() + 1_800_000 };
  const { clientId, tokens } = await login(kit.app);
  await kit.clock.advance(1_800_000);

  await assertRefused(await refresh(kit.app, clientId, tokens.refresh_token), "refresh_expired");
});

Deno.test("without forward the user is checked at the IdP at most once an hour", async () => {
  const kit = await bridgeKit();
  const { clientId, tokens } = await login(kit.app);
  let at = await refreshed(kit, clientId, tokens.refresh_token);
  assert.equal(kit.idp.calls.refresh, 0);
  await kit.clock.advance(3_600_000);

  at = await refreshed(kit, clientId, at.refresh_token);
  assert.equal(kit.idp.calls.refresh, 1);
  await kit.clock.advance(3_599_000);
  at = await refreshed(kit, clientId, at.refresh_token);
  assert.equal(kit.idp.calls.refresh, 1);
  assert.equal((await kit.bridge.authenticate(at.access_token)).forwardable, undefined);
});

Deno.test("without forward an IdP that gave no refresh token is not asked", async () => {
  const kit = await bridgeKit();
  kit.idp.tokens = { accessToken: "idp-access" };
  const { clientId, tokens } = await login(kit.app);
  await kit.clock.advance(86_400_000);

  await refreshed(kit, clientId, tokens.refresh_token);

  assert.equal(kit.idp.calls.refresh, 0);
});

const dead = new IdpError("dead", "invalid_grant", "no more");
const away = new IdpError("transient", "idp_unreachable", "down");

for (const config of [{}, follows]) {
  const mode = "tokenFollowsIdp" in config ? "with forward" : "without forward";

  Deno.test(`${mode} a login that is dead at the IdP is dead here`, async () => {
    const kit = await bridgeKit({ config });
    const { clientId, tokens } = await login(kit.app);
    await kit.clock.advance(3_600_000);
    kit.idp.failing = dead;

    await assertRefused(await refresh(kit.app, clientId, tokens.refresh_token), "refresh_idp_dead");
    kit.idp.failing = undefined;
    await assertRefused(await refresh(kit.app, clientId, tokens.refresh_token), "refresh_family_revoked");
  });

  Deno.test(`${mode} an allow-list is looked at in every refresh`, async () => {
    const kit = await bridgeKit({ config });
    const { clientId, tokens } = await login(kit.app);
    const allow = { subjects: ["bob"], emails: [], domains: [], groups: [], requiredScopes: [] };
    const { app } = kit.start({ config: { ...kit.config, allow } });

    await assertRefused(await refresh(app, clientId, tokens.refresh_token), "refresh_not_allowed");
    await assertRefused(await refresh(kit.app, clientId, tokens.refresh_token), "refresh_family_revoked");
  });

  Deno.test(`${mode} what the IdP says of a user counts from the next check on`, async () => {
    const kit = await bridgeKit({ config });
    const { clientId, tokens } = await login(kit.app);
    await kit.clock.advance(3_600_000);
    kit.idp.identity = { ...kit.idp.identity, groups: ["admins"] };

    const next = await refreshed(kit, clientId, tokens.refresh_token);

    assert.deepEqual((await kit.bridge.authenticate(next.access_token)).groups, ["admins"]);
  });

  Deno.test(`${mode} an IdP that suddenly speaks of somebody else ends the login`, async () => {
    const kit = await bridgeKit({ config });
    const { clientId, tokens } = await login(kit.app);
    await kit.clock.advance(3_600_000);
    kit.idp.identity = { ...kit.idp.identity, subject: "mallory" };

    await assertRefused(await refresh(kit.app, clientId, tokens.refresh_token), "refresh_idp_dead");
  });
}

Deno.test("with forward an IdP that is away means 503 and nothing lost", async () => {
  const kit = await bridgeKit({ config: follows });
  const { clientId, tokens } = await login(kit.app);
  kit.idp.failing = away;

  const response = await refresh(kit.app, clientId, tokens.refresh_token);
  kit.idp.failing = undefined;

  assert.ok(Number(response.headers.get("retry-after")) > 0);
  await assertRefused(response, "refresh_idp_unavailable", 503, "temporarily_unavailable");
  await refreshed(kit, clientId, tokens.refresh_token);
});

Deno.test("without forward an IdP that is away does not matter, and is asked again next time", async () => {
  const kit = await bridgeKit();
  const { clientId, tokens } = await login(kit.app);
  await kit.clock.advance(3_600_000);
  kit.idp.failing = away;
  const next = await refreshed(kit, clientId, tokens.refresh_token);
  kit.idp.failing = undefined;

  await refreshed(kit, clientId, next.refresh_token);

  assert.equal(kit.idp.calls.refresh, 2);
});

Deno.test("a dead answer that comes of another process's rotation ends nothing", async () => {
  const kit = await bridgeKit({ config: follows });
  const { clientId, tokens } = await login(kit.app);
  let other: TokenBody | undefined;
  // While our call is under way the lease runs out and another process rotates; the IdP then refuses ours.
  kit.idp.beforeRefresh = async () => {
    kit.idp.beforeRefresh = () => Promise.resolve();
    const putIf = kit.parts.store.putIf;
    kit.parts.store.putIf = (key, ...rest) =>
      key[0] === "lease" ? Promise.resolve(true) : putIf(key, ...rest);
    other = await (await refresh(kit.start().app, clientId, tokens.refresh_token)).json();
    kit.parts.store.putIf = putIf;
    throw dead;
  };

  const ours = await refreshed(kit, clientId, tokens.refresh_token);

  assert.equal(ours.refresh_token, other?.refresh_token);
});

Deno.test("a lost store refuses a refresh and changes nothing", async () => {
  const kit = await bridgeKit();
  const { clientId, tokens } = await login(kit.app);
  for (const method of ["get", "putIf"] as const) {
    const real = kit.parts.store[method];
    kit.parts.store[method] = () => Promise.reject(new StoreUnavailable("gone"));
    const response = await refresh(kit.app, clientId, tokens.refresh_token);
    kit.parts.store[method] = real as never;
    await assertRefused(response, "replay_store_unavailable", 503, "temporarily_unavailable");
  }

  await refreshed(kit, clientId, tokens.refresh_token);
});

Deno.test("a login of before REVOKE_BEFORE is over, also when it was refreshed since", async () => {
  const kit = await bridgeKit();
  const { clientId, tokens } = await login(kit.app);
  await kit.clock.advance(1_000);
  const revokeBeforeMs = kit.clock.now();
  await kit.clock.advance(1_000);
  const next = await refreshed(kit, clientId, tokens.refresh_token);
  const later = await login(kit.app);
  const { app, bridge } = kit.start({ config: { ...kit.config, revokeBeforeMs } });

  await assert.rejects(bridge.authenticate(next.access_token), { reason: "token_revoked_iat_cutoff" });
  await assertRefused(await refresh(app, clientId, next.refresh_token), "refresh_revoked");
  assert.equal((await bridge.authenticate(later.tokens.access_token)).subject, "alice");
  assert.equal((await refresh(app, later.clientId, later.tokens.refresh_token)).status, 200);
});

Deno.test("tokens that would be too long are kept in the store, and are never longer than 4 KiB", async () => {
  const kit = await bridgeKit({ config: follows });
  const groups = Array.from({ length: 300 }, (_, at) => `/department/${at}/${"ü".repeat(20)}`);
  kit.idp.identity = { ...kit.idp.identity, groups };
  kit.idp.tokens = {
    accessToken: "x".repeat(60_000),
    refreshToken: "y".repeat(9_000),
    expiresAtMs: kit.clock.now() + 600_000,
  };

  const { clientId, tokens } = await login(kit.app);
  const caller = await kit.bridge.authenticate(tokens.access_token);
  const next = await refreshed(kit, clientId, tokens.refresh_token);

  assert.ok(tokens.access_token.length <= 4_096 && tokens.refresh_token.length <= 4_096);
  assert.equal(caller.forwardable, "x".repeat(60_000));
  assert.deepEqual(caller.groups, groups);
  assert.equal((await kit.bridge.authenticate(next.access_token)).forwardable, "idp-access-1");
  assert.ok(next.access_token.length <= 4_096 && next.refresh_token.length <= 4_096);
});

for (const length of [1_500, 2_000, 2_300, 2_600, 2_900, 3_100]) {
  Deno.test(`an IdP token of ${length} characters makes no token of ours longer than 4 KiB`, async () => {
    const kit = await bridgeKit({ config: follows });
    const accessToken = "x".repeat(length);
    kit.idp.tokens = {
      accessToken,
      refreshToken: "y".repeat(length),
      expiresAtMs: kit.clock.now() + 600_000,
    };

    const { tokens } = await login(kit.app);

    assert.ok(tokens.access_token.length <= 4_096, String(tokens.access_token.length));
    assert.ok(tokens.refresh_token.length <= 4_096, String(tokens.refresh_token.length));
    assert.equal((await kit.bridge.authenticate(tokens.access_token)).forwardable, accessToken);
  });
}

Deno.test("what is kept in the store cannot be put in the place of something else", async () => {
  const kit = await bridgeKit({ config: follows });
  const pieces = new Map<string, unknown>();
  const put = kit.parts.store.put;
  kit.parts.store.put = (key, value, ttlMs) => {
    if (key[0] === "kept") pieces.set(key.join("/"), value);
    return put(key, value, ttlMs);
  };
  const loginAs = async (subject: string) => {
    pieces.clear();
    kit.idp.identity = { ...kit.idp.identity, subject };
    kit.idp.tokens = {
      accessToken: subject.repeat(1_000),
      refreshToken: "r",
      expiresAtMs: kit.clock.now() + 600_000,
    };
    return { tokens: (await login(kit.app)).tokens, kept: new Map(pieces) };
  };
  const alice = await loginAs("alice");
  const mallory = await loginAs("mallory");

  const [theirs] = [...alice.kept.values()];
  for (const key of mallory.kept.keys()) await put(key.split("/"), theirs, 600_000);

  await assert.rejects(kit.bridge.authenticate(mallory.tokens.access_token), { code: "invalid_token" });
  assert.equal((await kit.bridge.authenticate(alice.tokens.access_token)).subject, "alice");
});

Deno.test("an access token ends with its login, however late it was refreshed", async () => {
  const kit = await bridgeKit({ config: { refreshTtlMs: 90 * 86_400_000 } });
  const { clientId, tokens } = await login(kit.app);
  await kit.clock.advance(90 * 86_400_000 - 600_000);

  const last = await refreshed(kit, clientId, tokens.refresh_token);

  assert.equal(last.expires_in, 600);
});

Deno.test("a refresh token does not carry the IdP's access token, which is asked for anew", async () => {
  const kit = await bridgeKit({ config: follows });
  kit.idp.tokens = {
    accessToken: "x".repeat(1_500),
    refreshToken: "r",
    expiresAtMs: kit.clock.now() + 600_000,
  };

  const { tokens } = await login(kit.app);

  assert.ok(tokens.access_token.length > 2_000);
  assert.ok(tokens.refresh_token.length < 1_500, String(tokens.refresh_token.length));
});

Deno.test("a refresh token whose larger part the store has lost is refused, not a fault", async () => {
  const kit = await bridgeKit({ config: follows });
  kit.idp.tokens = {
    accessToken: "a",
    refreshToken: "r".repeat(9_000),
    expiresAtMs: kit.clock.now() + 600_000,
  };
  const { clientId, tokens } = await login(kit.app);
  const { memoryStore } = await import("../../lib/store/memory.ts");
  const { app } = kit.start({ store: memoryStore(kit.clock) });

  await assertRefused(await refresh(app, clientId, tokens.refresh_token), "refresh_invalid");
});

Deno.test("only so many rotated tokens are forgiven at once", async () => {
  const kit = await bridgeKit();
  const { clientId, tokens } = await login(kit.app);
  let at = tokens;
  for (let turn = 0; turn < 17; turn++) at = await refreshed(kit, clientId, at.refresh_token);

  await assertRefused(await refresh(kit.app, clientId, tokens.refresh_token), "refresh_reuse_detected");
});
