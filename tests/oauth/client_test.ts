import assert from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import { openHttpClient } from "../../lib/base/http_client.ts";
import {
  deviceAuthorization,
  deviceGrant,
  registerClient,
  revokeToken,
  tokenRequest,
} from "../../lib/oauth/client.ts";
import type { AuthMethod } from "../../lib/oauth/client_auth.ts";
import { discoverServer } from "../../lib/oauth/discovery.ts";
import { OAuthFailure } from "../../lib/oauth/failure.ts";
import type { ServerMetadata } from "../../lib/oauth/server_metadata.ts";
import { startIdp } from "../fakes/idp.ts";

const fails = (kind: string, reason: string) => (error: unknown) =>
  error instanceof OAuthFailure && error.kind === kind && error.reason === reason;

async function idpWith(options?: Parameters<typeof startIdp>[0]) {
  const idp = await startIdp(options);
  const http = openHttpClient();
  const server = await discoverServer(http, idp.issuer);
  return {
    idp,
    server,
    context: { http, clock: systemClock, timeoutMs: 2_000 },
    client: { clientId: idp.clientId, clientSecret: idp.clientSecret },
    async [Symbol.asyncDispose]() {
      http.close();
      await idp[Symbol.asyncDispose]();
    },
  };
}

Deno.test("tokenRequest() authenticates by basic and by post, and a wrong secret is a dead failure", async () => {
  await using parts = await idpWith();
  const { idp, server, context } = parts;
  for (const method of ["client_secret_basic", "client_secret_post"] satisfies AuthMethod[]) {
    const client = { clientId: `odd ${method}`, clientSecret: "a+b/c:%=~ a+b/c:%=~ ?" };
    await idp.addClient({
      client_id: client.clientId,
      client_secret: client.clientSecret,
      grant_types: ["client_credentials"],
      response_types: [],
      redirect_uris: [],
      token_endpoint_auth_method: method,
    });
    const request = { server, grantType: "client_credentials", parameters: [] };

    const set = await tokenRequest(context, { ...request, client: { ...client, authMethod: method } });

    assert.equal(set.tokenType, "bearer");
    assert.ok((set.expiresAtMs ?? 0) > Date.now());
    await assert.rejects(
      tokenRequest(context, { ...request, client: { ...client, clientSecret: "wrong", authMethod: method } }),
      fails("dead", "invalid_client"),
    );
  }
});

Deno.test("tokenRequest() signs assertions for private_key_jwt", async () => {
  await using parts = await idpWith();
  const { idp, server, context } = parts;
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
    "sign",
    "verify",
  ]);
  const jwk = await crypto.subtle.exportKey("jwk", pair.publicKey);
  const der = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
  const clientKey = `-----BEGIN PRIVATE KEY-----\n${
    btoa(String.fromCharCode(...der))
  }\n-----END PRIVATE KEY-----`;
  await idp.addClient({
    client_id: "keyed",
    grant_types: ["client_credentials"],
    response_types: [],
    redirect_uris: [],
    token_endpoint_auth_method: "private_key_jwt",
    token_endpoint_auth_signing_alg: "ES256",
    jwks: { keys: [{ kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y, use: "sig", kid: "k1" }] },
  });

  const set = await tokenRequest(context, {
    server,
    client: { clientId: "keyed", clientKey, clientKeyId: "k1" },
    grantType: "client_credentials",
    parameters: [],
  });

  assert.ok(set.accessToken.length > 10);
});

Deno.test("tokenRequest() calls silence, 5xx and 429 transient, and invalid_grant dead", async () => {
  await using parts = await idpWith();
  const { idp, server, context, client } = parts;
  const refresh = () =>
    tokenRequest(context, {
      server,
      client,
      grantType: "refresh_token",
      parameters: [["refresh_token", "unknown"]],
    });

  await assert.rejects(refresh(), fails("dead", "invalid_grant"));
  for (const status of [500, 503, 429] as const) {
    idp.fail("/token", status);
    await assert.rejects(refresh(), fails("transient", `http_${status}`));
  }
  idp.fail("/token", "cut");
  await assert.rejects(refresh(), fails("transient", "unreachable"));
  await idp.down();
  await assert.rejects(refresh(), fails("transient", "unreachable"));
  await idp.up();
});

Deno.test("tokenRequest() gives up in time and ends with the caller's signal", async () => {
  await using parts = await idpWith();
  const { idp, server, context, client } = parts;
  idp.fail("/token", "hang");
  const request = { server, client, grantType: "client_credentials", parameters: [] };
  const stop = new AbortController();

  await assert.rejects(
    tokenRequest({ ...context, timeoutMs: 60 }, request),
    fails("transient", "unreachable"),
  );
  const waiting = tokenRequest({ ...context, signal: stop.signal }, request);
  stop.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
});

Deno.test("tokenRequest() sends nothing to an endpoint that is neither https nor loopback", async () => {
  await using parts = await idpWith();
  const { server, context, client } = parts;
  const endpoints = [
    "http://as.example/token",
    "ftp://127.0.0.1/",
    "https://u:p@as.example/",
    "nonsense",
    undefined,
  ];
  for (const token_endpoint of endpoints) {
    const bad = { ...server, token_endpoint } as ServerMetadata;
    await assert.rejects(
      tokenRequest(context, { server: bad, client, grantType: "client_credentials", parameters: [] }),
      fails("dead", "bad_endpoint"),
    );
  }
});

Deno.test("tokenRequest() does not follow a redirect of the token endpoint", async () => {
  let followed = 0;
  const elsewhere = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    if (new URL(request.url).pathname === "/stolen") followed++;
    return new Response(null, { status: 307, headers: { location: "/stolen" } });
  });
  const http = openHttpClient();
  try {
    const origin = `http://127.0.0.1:${elsewhere.addr.port}`;
    const server = { issuer: origin, token_endpoint: `${origin}/token` } as ServerMetadata;
    const client = { clientId: "c", clientSecret: "s" };
    await assert.rejects(
      tokenRequest({ http, clock: systemClock }, {
        server,
        client,
        grantType: "client_credentials",
        parameters: [],
      }),
      fails("transient", "http_307"),
    );
    assert.equal(followed, 0);
  } finally {
    http.close();
    await elsewhere.shutdown();
  }
});

Deno.test("registerClient() registers, and shows what the server refuses", async () => {
  await using parts = await idpWith();
  const { server, context } = parts;
  const metadata = {
    redirect_uris: ["http://127.0.0.1/cb"],
    application_type: "native",
    token_endpoint_auth_method: "none",
  };

  const registered = await registerClient(context, server, metadata);

  assert.ok(registered.client_id.length > 0);
  assert.deepEqual(registered.redirect_uris, metadata.redirect_uris);
  await assert.rejects(
    registerClient(context, server, { ...metadata, redirect_uris: ["nonsense"] }),
    fails("dead", "invalid_redirect_uri"),
  );
});

Deno.test("deviceAuthorization() starts a device login that can be polled", async () => {
  await using parts = await idpWith();
  const { idp, server, context } = parts;
  await idp.addClient({
    client_id: "tv",
    token_endpoint_auth_method: "none",
    grant_types: [deviceGrant],
    response_types: [],
    redirect_uris: [],
  });
  const party = { server, client: { clientId: "tv" } };

  const started = await deviceAuthorization(context, { ...party, parameters: [["scope", "openid"]] });

  assert.match(started.userCode, /\w/);
  assert.ok(started.verificationUri.startsWith(idp.issuer));
  assert.ok(started.expiresAtMs > Date.now() && started.intervalMs >= 1_000);
  await assert.rejects(
    tokenRequest(context, {
      ...party,
      grantType: deviceGrant,
      parameters: [["device_code", started.deviceCode]],
    }),
    fails("transient", "authorization_pending"),
  );
});

Deno.test("revokeToken() takes an unknown token as gone and does nothing where there is no endpoint", async () => {
  await using parts = await idpWith();
  const { server, context, client, idp } = parts;

  await revokeToken(context, { server, client }, "unknown", "refresh_token");
  const without = { ...server, revocation_endpoint: undefined } as ServerMetadata;
  await revokeToken(context, { server: without, client }, "x", "refresh_token");

  idp.fail("/token/revocation", 503);
  await assert.rejects(
    revokeToken(context, { server, client }, "x", "refresh_token"),
    fails("transient", "http_503"),
  );
});
