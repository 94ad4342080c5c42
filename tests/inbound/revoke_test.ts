import assert from "node:assert/strict";
import { revokeClient, revokeUser } from "../../lib/inbound/bridge/revocations.ts";
import { StoreUnavailable } from "../../lib/store/store.ts";
import {
  approve,
  authorizeQuery,
  bridgeKit,
  comeBack,
  Jar,
  login,
  openConsent,
  postForm,
  redeem,
  refresh,
  registerClient,
} from "./kit.ts";

const lifeMs = 90 * 86_400_000;

Deno.test("a revoked refresh token ends the login, here and at the IdP", async () => {
  const kit = await bridgeKit();
  const { clientId, tokens } = await login(kit.app);
  const caller = await kit.bridge.authenticate(tokens.access_token);
  assert.equal(await kit.bridge.revoked(caller), false);

  const response = await postForm(kit.app, "/revoke", { token: tokens.refresh_token, client_id: clientId });

  assert.equal(response.status, 200);
  assert.equal(await response.text(), "");
  assert.equal(await kit.bridge.revoked(caller), true);
  await assert.rejects(kit.bridge.authenticate(tokens.access_token), { code: "invalid_token", status: 401 });
  assert.equal((await refresh(kit.app, clientId, tokens.refresh_token)).status, 400);
  assert.equal(kit.idp.calls.revoke, 1);
});

Deno.test("a revocation reaches another process within its memory of one second", async () => {
  const kit = await bridgeKit();
  const { clientId, tokens } = await login(kit.app);
  const other = kit.start().bridge;
  const caller = await other.authenticate(tokens.access_token);

  await postForm(kit.app, "/revoke", { token: tokens.refresh_token, client_id: clientId });
  assert.equal(await other.revoked(caller), false);
  await kit.clock.advance(1_000);

  assert.equal(await other.revoked(caller), true);
  await assert.rejects(other.authenticate(tokens.access_token), { reason: "token_revoked" });
});

Deno.test("a revoked access token ends alone", async () => {
  const kit = await bridgeKit();
  const { clientId, tokens } = await login(kit.app);

  await postForm(kit.app, "/revoke", {
    token: tokens.access_token,
    client_id: clientId,
    token_type_hint: "access_token",
  });

  await assert.rejects(kit.bridge.authenticate(tokens.access_token), { reason: "token_revoked" });
  assert.equal((await refresh(kit.app, clientId, tokens.refresh_token)).status, 200);
});

Deno.test("revoking what is unknown, or another client's, is answered alike and does nothing", async () => {
  const kit = await bridgeKit();
  const { clientId, tokens } = await login(kit.app);
  const other = await registerClient(kit.app);

  for (const token of ["unknown", tokens.refresh_token, tokens.access_token]) {
    const response = await postForm(kit.app, "/revoke", { token, client_id: other.client_id });
    assert.equal(response.status, 200);
  }
  await kit.bridge.authenticate(tokens.access_token);
  assert.equal((await refresh(kit.app, clientId, tokens.refresh_token)).status, 200);
});

Deno.test("revoke asks who it is", async () => {
  const kit = await bridgeKit();
  const { clientId, tokens } = await login(kit.app);
  const confidential = await registerClient(kit.app, { token_endpoint_auth_method: "client_secret_basic" });
  const post = (form: Record<string, string>, headers = {}) => postForm(kit.app, "/revoke", form, headers);

  assert.equal((await post({ token: tokens.refresh_token })).status, 400);
  assert.equal((await post({ token: tokens.refresh_token, client_id: "unknown" })).status, 401);
  assert.equal((await post({ client_id: clientId })).status, 400);
  assert.equal((await post({ token: "x", client_id: confidential.client_id })).status, 401);
  const basic = btoa(`${confidential.client_id}:${confidential.client_secret}`);
  assert.equal((await post({ token: "x" }, { authorization: `Basic ${basic}` })).status, 200);
});

Deno.test("revoke says when the store is lost", async () => {
  const kit = await bridgeKit();
  const { clientId, tokens } = await login(kit.app);
  kit.parts.store.get = () => Promise.reject(new StoreUnavailable("gone"));

  const response = await postForm(kit.app, "/revoke", { token: tokens.refresh_token, client_id: clientId });

  assert.equal(response.status, 503);
});

Deno.test("all logins of one user end at once, and the user may log in again", async () => {
  const kit = await bridgeKit();
  const before = await login(kit.app);
  kit.idp.identity = { ...kit.idp.identity, subject: "bob" };
  const bob = await login(kit.app);
  kit.idp.identity = { ...kit.idp.identity, subject: "alice" };
  await kit.clock.advance(2_000);

  await revokeUser(kit.store, "alice", { nowMs: kit.clock.now(), ttlMs: lifeMs });
  await kit.clock.advance(2_000);
  const after = await login(kit.app);

  await assert.rejects(kit.bridge.authenticate(before.tokens.access_token), { reason: "token_revoked" });
  assert.equal((await refresh(kit.app, before.clientId, before.tokens.refresh_token)).status, 400);
  await kit.bridge.authenticate(bob.tokens.access_token);
  await kit.bridge.authenticate(after.tokens.access_token);
  assert.equal((await refresh(kit.app, after.clientId, after.tokens.refresh_token)).status, 200);
});

Deno.test("all logins by one client end at once, and no others", async () => {
  const kit = await bridgeKit();
  const one = await login(kit.app);
  const two = await login(kit.app);
  const { clientId: key } = await kit.bridge.authenticate(one.tokens.access_token);
  await kit.clock.advance(2_000);

  await revokeClient(kit.store, key, { nowMs: kit.clock.now(), ttlMs: lifeMs });

  await assert.rejects(kit.bridge.authenticate(one.tokens.access_token), { reason: "token_revoked" });
  await kit.bridge.authenticate(two.tokens.access_token);
});

Deno.test("a revocation that was seen holds when the store is lost afterwards", async () => {
  const kit = await bridgeKit();
  const { clientId, tokens } = await login(kit.app);
  const caller = await kit.bridge.authenticate(tokens.access_token);
  await postForm(kit.app, "/revoke", { token: tokens.refresh_token, client_id: clientId });
  assert.equal(await kit.bridge.revoked(caller), true);

  kit.parts.store.get = () => Promise.reject(new StoreUnavailable("gone"));
  await kit.clock.advance(60_000);

  assert.equal(await kit.bridge.revoked(caller), true);
});

Deno.test("a code of before a revocation gives nothing", async () => {
  const kit = await bridgeKit();
  const { client_id } = await registerClient(kit.app);
  const jar = new Jar();
  const url = await approve(kit.app, jar, await openConsent(kit.app, jar, await authorizeQuery(client_id)));
  const code = (await comeBack(kit.app, jar, url)).searchParams.get("code") ?? "";
  await kit.clock.advance(1_000);
  await revokeUser(kit.store, "alice", { nowMs: kit.clock.now(), ttlMs: lifeMs });

  const response = await redeem(kit.app, client_id, code);

  assert.equal(response.status, 400);
  assert.equal((await response.json()).error_code, "refresh_revoked");
});

Deno.test("a lost store is asked for revocations every few seconds only, and heard again when it is back", async () => {
  const kit = await bridgeKit();
  const { tokens } = await login(kit.app);
  const caller = await kit.bridge.authenticate(tokens.access_token);
  const get = kit.parts.store.get;
  let asked = 0;
  kit.parts.store.get = () => (asked++, Promise.reject(new StoreUnavailable("gone")));
  for (let turn = 0; turn < 4; turn++) {
    await kit.clock.advance(1_000);
    assert.equal(await kit.bridge.revoked(caller), false);
  }
  assert.equal(asked, 4);

  kit.parts.store.get = get;
  await revokeUser(kit.store, "alice", { nowMs: kit.clock.now(), ttlMs: lifeMs });
  await kit.clock.advance(5_000);

  assert.equal(await kit.bridge.revoked(caller), true);
});
