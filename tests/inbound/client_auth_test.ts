import assert from "node:assert/strict";
import { bridgeKit, callbackUri, type Kit, login, postForm, redeem, refresh, registerClient } from "./kit.ts";
import { approve, authorizeQuery, comeBack, Jar, openConsent, verifier } from "./kit.ts";

const basic = (id: string, secret: string) => ({ authorization: `Basic ${btoa(`${id}:${secret}`)}` });

async function confidential(kit: Kit, method = "client_secret_post") {
  const { client_id, client_secret = "" } = await registerClient(kit.app, {
    token_endpoint_auth_method: method,
  });
  const { jar } = { jar: new Jar() };
  const token = await openConsent(kit.app, jar, await authorizeQuery(client_id));
  const url = await comeBack(kit.app, jar, await approve(kit.app, jar, token));
  const form = {
    grant_type: "authorization_code",
    code: url.searchParams.get("code") ?? "",
    redirect_uri: callbackUri,
    code_verifier: verifier,
  };
  return { id: client_id, secret: client_secret, form };
}

async function assertRefused(response: Response, status: number, error: string, challenge: boolean) {
  assert.equal((await response.json()).error, error);
  assert.equal(response.status, status);
  assert.equal(response.headers.get("www-authenticate")?.startsWith("Basic ") ?? false, challenge);
}

for (const method of ["client_secret_post", "client_secret_basic"]) {
  Deno.test(`a client registered for ${method} may use header or body, and must use one`, async () => {
    const kit = await bridgeKit();
    const { id, secret, form } = await confidential(kit, method);
    const send = (body: Record<string, string>, headers = {}) =>
      postForm(kit.app, "/token", { ...form, ...body }, headers);

    await assertRefused(await send({ client_id: id }), 401, "invalid_client", false);
    await assertRefused(
      await send({ client_id: id, client_secret: `${secret}x` }),
      401,
      "invalid_client",
      false,
    );
    await assertRefused(await send({}, basic(id, "wrong")), 401, "invalid_client", true);
    await assertRefused(
      await send({ client_secret: secret, client_id: id }, basic(id, secret)),
      400,
      "invalid_request",
      false,
    );
    const inHeader = await send({}, basic(id, secret));
    assert.equal(inHeader.status, 200, await inHeader.clone().text());
    const { refresh_token } = await inHeader.json();
    const again = { grant_type: "refresh_token", refresh_token, client_id: id };
    await assertRefused(await postForm(kit.app, "/token", again), 401, "invalid_client", false);
    const inBody = await postForm(kit.app, "/token", { ...again, client_secret: secret });
    assert.equal(inBody.status, 200, await inBody.clone().text());
  });
}

Deno.test("a secret is one client's alone", async () => {
  const kit = await bridgeKit();
  const { id, form } = await confidential(kit);
  const other = await registerClient(kit.app, { token_endpoint_auth_method: "client_secret_post" });

  const response = await postForm(kit.app, "/token", {
    ...form,
    client_id: id,
    client_secret: other.client_secret ?? "",
  });

  await assertRefused(response, 401, "invalid_client", false);
});

Deno.test("a public client may name itself in the header with an empty secret, and with no other", async () => {
  const kit = await bridgeKit();
  const { clientId, tokens } = await login(kit.app);
  const form = { grant_type: "refresh_token", refresh_token: tokens.refresh_token };

  await assertRefused(
    await postForm(kit.app, "/token", form, basic(clientId, "guess")),
    401,
    "invalid_client",
    true,
  );
  await assertRefused(
    await postForm(kit.app, "/token", { ...form, client_id: clientId, client_secret: "guess" }),
    401,
    "invalid_client",
    false,
  );
  assert.equal((await postForm(kit.app, "/token", form, basic(clientId, ""))).status, 200);
});

Deno.test("header and body must name the same client", async () => {
  const kit = await bridgeKit();
  const { clientId, tokens } = await login(kit.app);
  const form = { grant_type: "refresh_token", refresh_token: tokens.refresh_token, client_id: clientId };

  await assertRefused(
    await postForm(kit.app, "/token", form, basic("another", "")),
    401,
    "invalid_client",
    true,
  );
});

Deno.test("an Authorization header that cannot be read is refused; another scheme is not looked at", async () => {
  const kit = await bridgeKit();
  const { clientId, tokens } = await login(kit.app);
  const form = { grant_type: "refresh_token", refresh_token: tokens.refresh_token, client_id: clientId };

  for (
    const value of ["Basic !!!", "Basic ", `Basic ${btoa("no-colon")}`, `Basic ${btoa(":x")}`, "basic /w=="]
  ) {
    await assertRefused(
      await postForm(kit.app, "/token", form, { authorization: value }),
      401,
      "invalid_client",
      true,
    );
  }
  assert.equal((await postForm(kit.app, "/token", form, { authorization: "Bearer old" })).status, 200);
});

Deno.test("a client with a secret of special characters is understood encoded and as it stands", async () => {
  const clientSecret = "p@ss+w%rd:ä/&=";
  const staticClients = [{ clientId: "gate:way", clientSecret, redirectUris: [callbackUri] }];
  const kit = await bridgeKit({ config: { staticClients } });
  const utf8 = (text: string) => new TextEncoder().encode(text).toBase64();
  const encoded = `${encodeURIComponent("gate:way")}:${encodeURIComponent(clientSecret)}`;
  const form = { grant_type: "refresh_token", refresh_token: "x" };
  const post = (body: Record<string, string>, headers = {}) =>
    postForm(kit.app, "/token", { ...form, ...body }, headers);

  const byHeader = await post({}, { authorization: `Basic ${utf8(encoded)}` });
  const byBody = await post({ client_id: "gate:way", client_secret: clientSecret });
  const wrong = await post({ client_id: "gate:way", client_secret: "p@ss" });

  assert.equal((await byHeader.json()).error, "invalid_grant");
  assert.equal((await byBody.json()).error, "invalid_grant");
  await assertRefused(wrong, 401, "invalid_client", false);
});

Deno.test("a static client without a colon in its name may leave the encoding out", async () => {
  const clientSecret = "a+b%20c";
  const staticClients = [{ clientId: "gateway", clientSecret, redirectUris: [callbackUri] }];
  const kit = await bridgeKit({ config: { staticClients } });

  const response = await postForm(
    kit.app,
    "/token",
    { grant_type: "refresh_token", refresh_token: "x" },
    basic("gateway", clientSecret),
  );

  assert.equal((await response.json()).error, "invalid_grant");
});

Deno.test("who uses the proxy's client id at the IdP needs no secret, but not a wrong one", async () => {
  const kit = await bridgeKit();
  const { tokens } = await login(kit.app, { clientId: "doorman-at-idp" });
  const post = (secret: Record<string, string>) =>
    refresh(kit.app, "doorman-at-idp", tokens.refresh_token, secret);

  await assertRefused(await post({ client_secret: "wrong" }), 401, "invalid_client", false);
  assert.equal((await post({ client_secret: "idp-secret" })).status, 200);
});

Deno.test("clients that are forgotten get 401 invalid_client, so that they register anew", async () => {
  const kit = await bridgeKit();
  const { clientId, tokens, code } = await login(kit.app);
  const sealer = await kit.sealerOf(["a-new-signing-secret-that-is-not-the-old"]);
  const { app } = kit.start({ sealer });

  await assertRefused(await refresh(app, clientId, tokens.refresh_token), 401, "invalid_client", false);
  await assertRefused(await redeem(app, clientId, code), 401, "invalid_client", false);
  const counted = [...kit.counters.entries()].find(({ labels }) => labels["reason"] === "client_key_unknown");
  assert.equal(counted?.value, 2);
});

Deno.test("an assertion is nothing where no document says whose key to check it with", async () => {
  const kit = await bridgeKit();
  const { clientId, tokens } = await login(kit.app);
  const assertion = {
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.",
  };

  await assertRefused(
    await refresh(kit.app, clientId, tokens.refresh_token, assertion),
    401,
    "invalid_client",
    false,
  );
});
