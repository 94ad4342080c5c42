import assert from "node:assert/strict";
import { startIdp, type TestIdp } from "../fakes/idp.ts";
import type { LoginConfig } from "../../lib/stdio/config.ts";
import type { Credentials } from "../../lib/stdio/credentials.ts";
import {
  bearer,
  type Person,
  person,
  soon,
  stdioConfig,
  type TemporaryDir,
  temporaryDir,
  testCredentials,
} from "./login_setup.ts";
import { documentPath, openDoor, type UpstreamDoor } from "./upstream_door.ts";

interface Scene extends AsyncDisposable {
  readonly idp: TestIdp;
  readonly door: UpstreamDoor;
  readonly dir: TemporaryDir;
  readonly redirectUrl: URL;
  /** Credentials of a new process with the same cache. */
  open(user: Person, login?: Partial<LoginConfig>): Promise<Credentials>;
}

/** An upstream that names a real IdP which registers clients. */
async function setUp(idpOptions: Parameters<typeof startIdp>[0] = {}): Promise<Scene> {
  const dir = await temporaryDir();
  const idp = await startIdp(idpOptions);
  const door = openDoor();
  door.documents[documentPath] = { resource: door.url, authorization_servers: [idp.issuer] };
  const redirectUrl = stdioConfig(dir.path, {}).login.redirectUrl;
  return {
    idp,
    door,
    dir,
    redirectUrl,
    open: (user, login = {}) =>
      testCredentials(
        stdioConfig(`${dir.path}/cache`, { redirectUrl, ...login }, { upstreamUrl: new URL(door.url) }),
        user,
      ),
    async [Symbol.asyncDispose]() {
      await door[Symbol.asyncDispose]();
      await idp[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
}

/** What the pump does at the first 401. */
async function meet401(credentials: Credentials, challenge: string | null): Promise<boolean> {
  const used = await credentials.headers(soon());
  return await credentials.renew(used, { status: 401, challenge }, soon());
}

Deno.test("without a configured issuer nothing is asked before the upstream refuses", async () => {
  await using it = await setUp();
  const user = person("alice");
  await using credentials = await it.open(user);

  assert.deepEqual(await credentials.headers(soon()), { list: [] });
  assert.deepEqual(it.door.asked, []);
  assert.deepEqual(user.addresses, []);
  assert.deepEqual(credentials.status(), { state: "ready" });
});

Deno.test("a challenge leads to registration, a login with the resource to the letter, and a token", async () => {
  await using it = await setUp();
  const user = person("alice");
  await using credentials = await it.open(user);

  assert.equal(await meet401(credentials, it.door.challenge({ scope: "openid email" })), true);
  await user.settled();

  assert.ok(bearer(await credentials.headers(soon())));
  assert.deepEqual(it.door.asked, [documentPath], "the root document is not asked for");
  const asked = it.idp.authorizeRequests[0];
  assert.equal(asked?.get("resource"), it.door.url);
  assert.equal(it.idp.tokenRequests[0]?.get("resource"), it.door.url);
  assert.equal(asked?.get("scope"), "openid email offline_access");
  assert.equal(asked?.get("prompt"), "consent");
  assert.equal(it.idp.calls["/reg"], 1);
});

Deno.test("without a challenge the document's scopes are asked for, and without both none", async () => {
  await using it = await setUp({
    discovery: (document) => void (document.scopes_supported = ["openid", "email", "profile"]),
  });
  const ask = async (scopes_supported?: string[]) => {
    it.door.documents[documentPath] = {
      resource: it.door.url,
      authorization_servers: [it.idp.issuer],
      ...(scopes_supported && { scopes_supported }),
    };
    const user = person(undefined);
    await using credentials = await it.open(user, { profile: String(scopes_supported) });
    meet401(credentials, null).catch(() => {});
    return (await user.asked).searchParams.get("scope");
  };

  assert.equal(await ask(["openid", "email"]), "openid email");
  assert.equal(await ask(), null);
});

Deno.test("the registration is remembered, and made again once when the server forgot it", async () => {
  await using it = await setUp();
  const login = async (profile: string) => {
    const user = person("alice");
    await using credentials = await it.open(user, { profile });
    assert.equal(await meet401(credentials, it.door.challenge()), true);
    await user.settled();
    return user.addresses.map((url) => url.searchParams.get("client_id"));
  };
  const [first] = await login("a");
  assert.deepEqual(await login("b"), [first]);
  assert.equal(it.idp.calls["/reg"], 1);

  await it.idp.down();
  await using forgetful = await startIdp({ port: it.idp.port });
  const user = person("alice");
  await using credentials = await it.open(user, { profile: "c" });
  assert.equal(await meet401(credentials, it.door.challenge()), true);
  await user.settled();

  assert.equal(forgetful.calls["/reg"], 1);
  assert.equal(user.addresses.length, 1);
  assert.notEqual(user.addresses[0]?.searchParams.get("client_id"), first);
});

Deno.test("a refused token looks for the server anew: another one gets a registration of its own", async () => {
  await using it = await setUp();
  await using other = await startIdp();
  const user = person("alice");
  await using credentials = await it.open(user);
  await meet401(credentials, it.door.challenge());
  const used = await credentials.headers(soon());
  it.door.documents[documentPath] = { resource: it.door.url, authorization_servers: [other.issuer] };

  assert.equal(await credentials.renew(used, { status: 401, challenge: it.door.challenge() }, soon()), true);
  await user.settled();

  assert.equal(other.calls["/reg"], 1);
  assert.equal(it.idp.calls["/token:refresh_token"], undefined, "the old refresh token goes nowhere");
  const ids = user.addresses.map((url) => url.searchParams.get("client_id"));
  assert.equal(new Set(ids).size, 2);
});

Deno.test("a configured client is not shown to another server than its first", async () => {
  await using it = await setUp();
  await using other = await startIdp();
  const login = { clientId: it.idp.clientId, clientSecret: it.idp.clientSecret };
  const user = person("alice");
  await using credentials = await it.open(user, login);
  await it.idp.addRedirect(it.redirectUrl.href);
  await meet401(credentials, it.door.challenge());
  await user.settled();
  const used = await credentials.headers(soon());
  it.door.documents[documentPath] = { resource: it.door.url, authorization_servers: [other.issuer] };

  const renewal = credentials.renew(used, { status: 401, challenge: it.door.challenge() }, soon());

  await assert.rejects(renewal, /now names .* and OIDC_CLIENT_ID belongs to/);
  assert.equal(user.addresses.length, 1);
  assert.equal(other.calls["/auth"], undefined);
});

Deno.test("a 403 with insufficient_scope asks for the union, three logins in all, and a plain 403 for nothing", async () => {
  await using it = await setUp({ scopes: ["write", "admin"] });
  const user = person("alice");
  await using credentials = await it.open(user);
  await meet401(credentials, it.door.challenge({ scope: "openid email" }));
  const refuse = async (challenge: string | null) =>
    await credentials.renew(await credentials.headers(soon()), { status: 403, challenge }, soon());
  const insufficient = it.door.challenge({ error: "insufficient_scope", scope: "write" });

  assert.equal(await refuse(it.door.challenge()), false);
  assert.equal(await refuse(null), false);
  assert.equal(await refuse(insufficient), true);
  assert.equal(await refuse(insufficient), true);
  assert.equal(await refuse(insufficient), false);
  await user.settled();

  assert.equal(user.addresses.length, 3);
  assert.equal(it.idp.calls["/auth"], 3, "a client that has just logged in is not asked about again");
  const scopes = user.addresses.map((url) => url.searchParams.get("scope")?.split(" ").sort().join(" "));
  assert.equal(scopes[1], "email offline_access openid write");
  assert.equal(it.idp.calls["/token:refresh_token"], undefined, "a refresh cannot add scopes");
});

Deno.test("an upstream of 2025-03 without documents is its own authorization server", async () => {
  await using it = await setUp();
  const registered: unknown[] = [];
  await using legacy = openDoor({
    handler: async (request) => {
      if (new URL(request.url).pathname !== "/register") return undefined;
      registered.push(await request.json());
      return Response.json({ client_id: "legacy-client" }, { status: 201 });
    },
  });
  const user = person(undefined);
  const config = stdioConfig(`${it.dir.path}/cache`, {}, { upstreamUrl: new URL(legacy.url) });
  await using credentials = await testCredentials(config, user);

  meet401(credentials, "Bearer").catch(() => {});
  const url = await user.asked;

  assert.equal(url.origin + url.pathname, `${legacy.origin}/authorize`);
  assert.equal(url.searchParams.get("client_id"), "legacy-client");
  assert.equal((registered[0] as { application_type?: string }).application_type, "native");
  assert.ok(legacy.asked.includes("/.well-known/oauth-authorization-server"));
});

Deno.test("an upstream that publishes nothing is explained, and no browser opens", async () => {
  await using dir = await temporaryDir();
  await using door = openDoor();
  const user = person("alice");
  const config = stdioConfig(`${dir.path}/cache`, {}, { upstreamUrl: new URL(door.url) });
  await using credentials = await testCredentials(config, user);

  await assert.rejects(
    meet401(credentials, 'ApiKey realm="x"'),
    (error: Error & { hint?: string }) =>
      /publishes nothing about how to get one/.test(error.message) && /--header/.test(error.hint ?? ""),
  );
  assert.deepEqual(user.addresses, []);
});

/** Changes to the metadata that must end the login before a browser opens or a secret leaves. */
const hostile: Record<string, { document?: object; server?: object; challenge?: string; says: RegExp }> = {
  "a resource on another host": {
    document: { resource: "https://bank.example/mcp" },
    says: /another resource/,
  },
  "a resource on a sibling path": { document: { resource: "{origin}/other" }, says: /another resource/ },
  "a document on a link-local http address": {
    challenge: 'Bearer resource_metadata="http://169.254.169.254/latest"',
    says: /the challenge points to/,
  },
  "a document in a file": {
    challenge: 'Bearer resource_metadata="file:///etc/passwd"',
    says: /the challenge points to/,
  },
  "a script as authorization server": {
    document: { authorization_servers: ["javascript:alert(1)"] },
    says: /as its authorization server/,
  },
  "an http authorization server elsewhere": {
    document: { authorization_servers: ["http://evil.example"] },
    says: /as its authorization server/,
  },
  "another issuer in the metadata": {
    server: { issuer: "https://accounts.example" },
    says: /names the issuer/,
  },
  "an issuer that differs by a slash": { server: { issuer: "{origin}/" }, says: /names the issuer/ },
  "a script as authorization endpoint": {
    server: { authorization_endpoint: "javascript:alert(1)" },
    says: /the authorization endpoint of/,
  },
  "a file as authorization endpoint": {
    server: { authorization_endpoint: "file:///bin/sh" },
    says: /the authorization endpoint of/,
  },
  "an option as authorization endpoint": {
    server: { authorization_endpoint: "-flag" },
    says: /the authorization endpoint/,
  },
  "an http authorization endpoint elsewhere": {
    server: { authorization_endpoint: "http://evil.example/authorize" },
    says: /the authorization endpoint of/,
  },
  "an http token endpoint elsewhere": {
    server: { token_endpoint: "http://evil.example/token" },
    says: /the token endpoint of/,
  },
  "an http registration endpoint elsewhere": {
    server: { registration_endpoint: "http://evil.example/register" },
    says: /the registration endpoint of/,
  },
  "no token endpoint": { server: { token_endpoint: undefined }, says: /names no token endpoint/ },
  "no word about PKCE": {
    server: { code_challenge_methods_supported: undefined },
    says: /does not announce PKCE/,
  },
  "only plain PKCE": {
    server: { code_challenge_methods_supported: ["plain"] },
    says: /does not announce PKCE/,
  },
  "no registration and no client": {
    server: { registration_endpoint: undefined },
    says: /does not register clients/,
  },
};

for (const [name, { document, server, challenge, says }] of Object.entries(hostile)) {
  Deno.test(`${name} ends the login before anything is opened or sent`, async () => {
    await using dir = await temporaryDir();
    const posts: string[] = [];
    await using door = openDoor({
      handler: (request) => {
        if (request.method === "POST") posts.push(request.url);
        return undefined;
      },
    });
    const fill = (value: object | undefined) =>
      JSON.parse(JSON.stringify(value ?? {}).replaceAll("{origin}", door.origin));
    const keepUndefined = Object.fromEntries(
      Object.entries(server ?? {}).filter(([, value]) => value === undefined),
    );
    door.documents[documentPath] = {
      resource: door.url,
      authorization_servers: [door.origin],
      ...fill(document),
    };
    door.documents["/.well-known/oauth-authorization-server"] = {
      issuer: door.origin,
      authorization_endpoint: `${door.origin}/authorize`,
      token_endpoint: `${door.origin}/token`,
      registration_endpoint: `${door.origin}/register`,
      code_challenge_methods_supported: ["S256"],
      ...fill(server),
      ...keepUndefined,
    };
    const user = person(undefined);
    const config = stdioConfig(`${dir.path}/cache`, {}, { upstreamUrl: new URL(door.url) });
    await using credentials = await testCredentials(config, user);

    await assert.rejects(meet401(credentials, challenge ?? door.challenge()), says);

    assert.deepEqual(user.addresses, []);
    assert.deepEqual(posts, []);
    assert.equal(credentials.status().state, "failed");
  });
}

Deno.test("metadata and token endpoints that redirect are not followed", async () => {
  await using dir = await temporaryDir();
  await using elsewhere = openDoor();
  await using door = openDoor();
  const away = (path: string) =>
    new Response(null, { status: 302, headers: { location: elsewhere.origin + path } });
  door.documents[documentPath] = away(documentPath);
  door.documents["/.well-known/oauth-authorization-server"] = away("/.well-known/oauth-authorization-server");
  const user = person(undefined);
  const config = stdioConfig(`${dir.path}/cache`, {}, { upstreamUrl: new URL(door.url) });
  await using credentials = await testCredentials(config, user);

  await assert.rejects(meet401(credentials, door.challenge()), /publishes nothing/);
  assert.deepEqual(elsewhere.asked, []);
});
