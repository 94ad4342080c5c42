/** Callers without a user at a browser: machines for themselves, and assertions of trusted IdPs about their users. */
import assert from "node:assert/strict";
import { type JWTPayload, SignJWT } from "jose";
import { silentLog } from "../../lib/base/log.ts";
import { assertionIssuers } from "../../lib/inbound/bridge/assertion_issuers.ts";
import { machineGrants } from "../../lib/inbound/bridge/grant_machine.ts";
import type { BridgeConfig, StaticClient } from "../../lib/inbound/config.ts";
import { signingKey } from "../crypto/token_issuer.ts";
import { fakeClock } from "../fakes/clock.ts";
import { base, bridgeKit, type Kit, postForm, registerClient } from "./kit.ts";

const key = await signingKey("ES256", "m1");
const stranger = await signingKey("ES256", "m1");
const robot: StaticClient = {
  clientId: "robot",
  clientSecret: "robot-secret",
  name: "Robot",
  redirectUris: [],
  grantTypes: [machineGrants.clientCredentials],
  scopes: ["read", "write"],
};
const signer: StaticClient = { ...robot, clientId: "signer", jwks: { keys: [key.jwk] } };
const person: StaticClient = {
  clientId: "person",
  clientSecret: "person-secret",
  redirectUris: ["https://client.example/callback"],
};
const agent: StaticClient = { ...robot, clientId: "agent", grantTypes: [machineGrants.assertion] };
/** The configuration refuses such a one. */
const open: StaticClient = {
  clientId: "open",
  redirectUris: [],
  grantTypes: [machineGrants.clientCredentials, machineGrants.assertion],
};
const staticClients = [robot, signer, person, agent, open];
const credentials = {
  grant_type: machineGrants.clientCredentials,
  client_id: "robot",
  client_secret: "robot-secret",
};

async function outcome(response: Response): Promise<string> {
  const body = await response.json();
  return body.error === undefined ? "given" : `${response.status} ${body.error} ${body.error_code}`;
}

async function ask(kit: Kit, form: Record<string, string>): Promise<string> {
  return await outcome(await postForm(kit.app, "/token", form));
}

Deno.test("a machine gets an access token for itself, and nothing to refresh it with", async () => {
  const kit = await bridgeKit({ config: { staticClients } });

  const response = await postForm(kit.app, "/token", { ...credentials, resource: `${base}/mcp` });
  const body = await response.json();
  const caller = await kit.bridge.authenticate(body.access_token);

  assert.deepEqual(Object.keys(body), ["access_token", "token_type", "expires_in", "scope"]);
  assert.equal(body.scope, "read write");
  assert.deepEqual([caller.subject, caller.clientId, caller.groups, caller.scopes, caller.forwardable], [
    "robot",
    "robot",
    [],
    ["read", "write"],
    undefined,
  ]);
});

Deno.test("a machine may ask for fewer scopes and never for more", async () => {
  const kit = await bridgeKit({ config: { staticClients } });
  const fewer = await (await postForm(kit.app, "/token", { ...credentials, scope: "read" })).json();

  assert.equal(fewer.scope, "read");
  assert.equal(await ask(kit, { ...credentials, scope: "read admin" }), "400 invalid_scope scope_exceeded");
});

Deno.test("only a client that the operator made a machine gets in as one", async () => {
  const kit = await bridgeKit({ config: { staticClients } });
  const dynamic = await registerClient(kit.app, {
    token_endpoint_auth_method: "client_secret_post",
    grant_types: ["authorization_code", machineGrants.clientCredentials],
  });
  const forms = {
    "a wrong secret": { ...credentials, client_secret: "robot-secre" },
    "no secret": { ...credentials, client_secret: "" },
    "a client for people": { ...credentials, client_id: "person", client_secret: "person-secret" },
    "a dynamic registration": {
      ...credentials,
      client_id: dynamic.client_id,
      client_secret: dynamic.client_secret ?? "",
    },
    "a machine for assertions": { ...credentials, client_id: "agent" },
    "a machine that proves nothing": { ...credentials, client_id: "open", client_secret: "" },
    "another resource": { ...credentials, resource: "https://other.example" },
  };
  const answers: Record<string, string> = {};
  for (const [name, form] of Object.entries(forms)) answers[name] = await ask(kit, form);

  assert.deepEqual(answers, {
    "a wrong secret": "401 invalid_client client_auth_failed",
    "no secret": "401 invalid_client client_auth_missing",
    "a client for people": "400 unauthorized_client grant_not_allowed",
    "a dynamic registration": "400 unauthorized_client grant_not_allowed",
    "a machine for assertions": "400 unauthorized_client grant_not_allowed",
    "a machine that proves nothing": "400 unauthorized_client grant_not_allowed",
    "another resource": "400 invalid_target resource_unknown",
  });
});

Deno.test("a machine proves itself by a signature, once, made out to us, by its own key", async () => {
  const kit = await bridgeKit({ config: { staticClients } });
  const now = Math.floor(kit.clock.now() / 1_000);
  const sign = (claims: JWTPayload, with_ = key) =>
    new SignJWT({
      iss: "signer",
      sub: "signer",
      aud: `${base}/token`,
      exp: now + 60,
      jti: crypto.randomUUID(),
      ...claims,
    })
      .setProtectedHeader({ alg: "ES256", kid: "m1" }).sign(with_.privateKey);
  const form = (assertion: string) => ({
    grant_type: machineGrants.clientCredentials,
    client_id: "signer",
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: assertion,
  });
  const good = form(await sign({}));

  assert.equal(await ask(kit, good), "given");
  const failed = "401 invalid_client client_auth_failed";
  assert.equal(await ask(kit, good), failed);
  assert.equal(await ask(kit, form(await sign({}, stranger))), failed);
  assert.equal(await ask(kit, form(await sign({ aud: "https://other.example" }))), failed);
  assert.equal(await ask(kit, form(await sign({ iss: "robot", sub: "robot" }))), failed);
  assert.equal(
    await ask(kit, { ...form(await sign({ iss: "robot", sub: "robot" })), client_id: "robot" }),
    failed,
  );
});

Deno.test("a machine's token is refused where a scope is required that it does not have", async () => {
  const allow = { subjects: ["alice"], emails: [], domains: [], groups: [], requiredScopes: ["admin"] };
  const kit = await bridgeKit({ config: { staticClients, allow } });
  const { access_token: token } = await (await postForm(kit.app, "/token", credentials)).json();

  await assert.rejects(kit.bridge.authenticate(token), { status: 403, code: "insufficient_scope" });
});

Deno.test("the lists of people that may enter say nothing of a machine", async () => {
  const allow = { subjects: ["alice"], emails: [], domains: [], groups: ["staff"], requiredScopes: [] };
  const kit = await bridgeKit({ config: { staticClients, allow } });
  const { access_token: token } = await (await postForm(kit.app, "/token", credentials)).json();

  const caller = await kit.bridge.authenticate(token);

  assert.ok(!("machine" in caller));
});

Deno.test("the metadata names the grants and methods that there are, and no others", async () => {
  const grants = async (config: Partial<BridgeConfig>) => {
    const kit = await bridgeKit({ config });
    return await (await kit.app.request("/.well-known/oauth-authorization-server")).json();
  };
  const without = await grants({ staticClients: [person] });
  const full = await grants({ staticClients, assertionIssuers: ["https://corp.example"] });

  assert.deepEqual(without.grant_types_supported, ["authorization_code", "refresh_token"]);
  assert.equal(without.authorization_grant_profiles_supported, undefined);
  assert.deepEqual(full.grant_types_supported, [
    "authorization_code",
    "refresh_token",
    machineGrants.clientCredentials,
    machineGrants.assertion,
  ]);
  assert.ok(full.token_endpoint_auth_methods_supported.includes("private_key_jwt"));
  assert.deepEqual(full.authorization_grant_profiles_supported, [
    "urn:ietf:params:oauth:grant-profile:id-jag",
  ]);
});

const corp = "https://corp.example";
const assertionKey = await signingKey("RS256", "c1");

/** A bridge that trusts the assertions of one IdP. */
async function trusting(config: Partial<BridgeConfig> = {}) {
  const clock = fakeClock();
  let down = false;
  const fetched: string[] = [];
  const http = {
    fetch: (input: string | URL) => {
      fetched.push(String(input));
      if (down) return Promise.reject(new Error("connection refused"));
      if (String(input) === `${corp}/keys`) {
        return Promise.resolve(Response.json({ keys: [assertionKey.jwk] }));
      }
      return Promise.resolve(Response.json({ issuer: corp, jwks_uri: `${corp}/keys` }));
    },
    close: () => {},
  };
  const assertions = assertionIssuers([corp], base, { http, clock, log: silentLog });
  const kit = await bridgeKit({
    config: { staticClients, assertionIssuers: [corp], ...config },
    parts: { assertions, clock },
  });
  const now = Math.floor(clock.now() / 1_000);
  const sign = (claims: Record<string, unknown> = {}, header = {}, with_ = assertionKey) => {
    const all = {
      iss: corp,
      aud: base,
      sub: "alice",
      client_id: "agent",
      resource: `${base}/mcp`,
      jti: crypto.randomUUID(),
      exp: now + 300,
      iat: now,
      scope: "read",
      email: "alice@corp.example",
      ...claims,
    };
    return new SignJWT(JSON.parse(JSON.stringify(all)))
      .setProtectedHeader({ alg: "RS256", kid: "c1", typ: "oauth-id-jag+jwt", ...header }).sign(
        with_.privateKey,
      );
  };
  const send = (assertion: string, more: Record<string, string> = {}) =>
    postForm(kit.app, "/token", {
      grant_type: machineGrants.assertion,
      assertion,
      client_id: "agent",
      client_secret: "robot-secret",
      ...more,
    });
  return { kit, sign, send, fetched, setDown: (value: boolean) => down = value, clock };
}

Deno.test("an assertion of a trusted IdP gives its user an access token, and nothing to refresh it with", async () => {
  const it = await trusting();

  const body = await (await it.send(await it.sign({ groups: ["staff"] }))).json();
  const caller = await it.kit.bridge.authenticate(body.access_token);

  assert.deepEqual(Object.keys(body), ["access_token", "token_type", "expires_in", "scope"]);
  assert.deepEqual([caller.subject, caller.email, caller.groups, caller.clientId, caller.scopes], [
    "alice",
    "alice@corp.example",
    ["staff"],
    "agent",
    ["read"],
  ]);
});

Deno.test("an assertion that is not exactly for this client, this server and this moment is refused", async () => {
  const it = await trusting();
  await it.send(await it.sign());
  const before = it.fetched.length;
  const refused: Record<string, string> = {
    "another audience": await it.sign({ aud: "https://other.example" }),
    "another client": await it.sign({ client_id: "robot" }),
    "no client": await it.sign({ client_id: undefined }),
    "another resource": await it.sign({ resource: "https://other.example/mcp" }),
    "no resource": await it.sign({ resource: undefined }),
    "expired": await it.sign({ exp: 1 }),
    "no end": await it.sign({ exp: undefined }),
    "a life of a day": await it.sign({ exp: Math.floor(it.clock.now() / 1_000) + 86_400 }),
    "no id": await it.sign({ jti: undefined }),
    "no subject": await it.sign({ sub: undefined }),
    "another type": await it.sign({}, { typ: "JWT" }),
    "an access token's type": await it.sign({}, { typ: "at+jwt" }),
    "another issuer": await it.sign({ iss: "https://evil.example" }),
    "a stranger's key": await it.sign({}, {}, await signingKey("RS256", "c1")),
    "garbage": "x.y.z",
  };
  for (const [name, assertion] of Object.entries(refused)) {
    assert.equal(await outcome(await it.send(assertion)), "400 invalid_grant assertion_invalid", name);
  }
  assert.equal(it.fetched.length, before);
});

Deno.test("an assertion is good once, also for two who bring it at the same time", async () => {
  const it = await trusting();
  const assertion = await it.sign();

  const answers = await Promise.all([1, 2, 3].map(async () => await outcome(await it.send(assertion))));

  assert.deepEqual(answers.sort(), [
    "400 invalid_grant assertion_replay",
    "400 invalid_grant assertion_replay",
    "given",
  ]);
});

Deno.test("allow-lists hold for the users of assertions, and scopes are those of the assertion", async () => {
  const allow = { subjects: [], emails: [], domains: ["corp.example"], groups: [], requiredScopes: [] };
  const it = await trusting({ allow });

  assert.equal(await outcome(await it.send(await it.sign())), "given");
  const refusal = "400 invalid_grant assertion_not_allowed";
  assert.equal(await outcome(await it.send(await it.sign({ email: "eve@evil.example" }))), refusal);
  assert.equal(await outcome(await it.send(await it.sign({ email_verified: false }))), refusal);
  assert.equal(
    await outcome(await it.send(await it.sign(), { scope: "read write" })),
    "400 invalid_scope scope_exceeded",
  );
});

Deno.test("only a client that may bring assertions can, and only where an issuer is trusted", async () => {
  const it = await trusting();
  const refusal = "400 unauthorized_client grant_not_allowed";
  const asRobot = { client_id: "robot" };
  const plain = await bridgeKit({ config: { staticClients } });

  assert.equal(await outcome(await it.send(await it.sign({ client_id: "robot" }), asRobot)), refusal);
  assert.equal(
    await outcome(await it.send(await it.sign(), { client_secret: "wrong" })),
    "401 invalid_client client_auth_failed",
  );
  const form = { grant_type: machineGrants.assertion, assertion: await it.sign(), client_id: "agent" };
  assert.equal(await ask(plain, { ...form, client_secret: "robot-secret" }), refusal);
});

Deno.test("a trusted IdP that is down is 503, and heals", async () => {
  const it = await trusting();
  it.setDown(true);
  assert.match(await outcome(await it.send(await it.sign())), /^503 temporarily_unavailable/);
  it.setDown(false);
  await it.clock.advance(5_000);

  assert.equal(await outcome(await it.send(await it.sign())), "given");
});
