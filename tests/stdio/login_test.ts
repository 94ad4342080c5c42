import assert from "node:assert/strict";
import { type IdpOptions, startIdp, type TestIdp } from "../fakes/idp.ts";
import type { LoginConfig, StdioConfig } from "../../lib/stdio/config.ts";
import { pendingLogins } from "../../lib/stdio/pending_login.ts";
import {
  bearer,
  freePort,
  movedClock,
  person,
  soon,
  stdioConfig,
  type TemporaryDir,
  temporaryDir,
  testCredentials,
} from "./login_setup.ts";

/** An IdP that knows a client, and a configuration for it with a cache of its own. */
async function setUp(
  idpOptions: IdpOptions = {},
  login: Partial<LoginConfig> = {},
): Promise<{ idp: TestIdp; dir: TemporaryDir; config: StdioConfig } & AsyncDisposable> {
  const dir = await temporaryDir();
  const idp = await startIdp(idpOptions);
  const config = stdioConfig(`${dir.path}/cache`, {
    issuerUrl: idp.issuer,
    clientId: idp.clientId,
    clientSecret: idp.clientSecret,
    ...login,
  });
  await idp.addRedirect(config.login.redirectUrl.href);
  return {
    idp,
    dir,
    config,
    async [Symbol.asyncDispose]() {
      await idp[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
}

/** Logs alice in and leaves a warm cache; the token. */
async function warm(config: StdioConfig): Promise<string> {
  const user = person("alice");
  await using credentials = await testCredentials(config, user);
  const token = bearer(await credentials.headers(soon()));
  await user.settled();
  assert.ok(token);
  return token;
}

Deno.test("a configured issuer is asked with exactly the documented parameters and gives a token", async () => {
  await using dir = await temporaryDir();
  await using idp = await startIdp();
  const config = stdioConfig(`${dir.path}/cache`, {
    issuerUrl: idp.issuer + "/",
    clientId: idp.clientId,
    clientSecret: idp.clientSecret,
  });
  await idp.addRedirect(config.login.redirectUrl.href);
  const user = person("alice");

  await using credentials = await testCredentials(config, user);
  const { list } = await credentials.headers(soon());
  await user.settled();

  assert.match(list[0]?.[1] ?? "", /^Bearer \S+$/);
  assert.equal(user.addresses.length, 1);
  const asked = user.addresses[0]?.searchParams;
  assert.deepEqual([...asked?.keys() ?? []], [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
  ]);
  assert.equal(asked?.get("scope"), "openid profile email");
  assert.equal(asked?.get("code_challenge_method"), "S256");
  assert.equal(user.pages[0]?.status, 200);
  assert.match(user.pages[0]?.html ?? "", /You are logged in/);
  assert.deepEqual(credentials.status(), { state: "ready" });
  assert.equal(idp.tokenRequests[0]?.get("client_secret"), idp.clientSecret);
});

Deno.test("openid is put in front of configured scopes, and extra parameters come only by setting", async () => {
  await using it = await setUp({}, {
    scopes: ["email"],
    audience: "https://api.example",
    authorizeParameters: [["login_hint", "alice"], ["state", "not-mine-to-set"]],
  });
  const user = person("alice");
  await using credentials = await testCredentials(it.config, user);

  await credentials.headers(soon());
  await user.settled();

  const asked = user.addresses[0]?.searchParams;
  assert.equal(asked?.get("scope"), "openid email");
  assert.equal(asked?.get("audience"), "https://api.example");
  assert.equal(asked?.get("login_hint"), "alice");
  assert.notEqual(asked?.get("state"), "not-mine-to-set");
  assert.deepEqual(asked?.getAll("resource"), []);
});

Deno.test("a public client sends no secret, and a confidential one in the body", async () => {
  await using it = await setUp({}, { clientId: "public" });
  await it.idp.addClient({
    client_id: "public",
    token_endpoint_auth_method: "none",
    redirect_uris: [it.config.login.redirectUrl.href],
    application_type: "native",
  });
  const { clientSecret: _none, ...login } = it.config.login;
  await warm({ ...it.config, login });

  assert.equal(it.idp.tokenRequests[0]?.has("client_secret"), false);
  assert.equal(it.idp.tokenRequests[0]?.get("client_id"), "public");
});

Deno.test("a cached token is used by the next process, without a browser and without the IdP", async () => {
  await using it = await setUp();
  const token = await warm(it.config);
  await it.idp.down();
  const user = person("alice");

  await using credentials = await testCredentials(it.config, user);

  assert.equal(bearer(await credentials.headers(soon())), token);
  assert.deepEqual(user.addresses, []);
});

Deno.test("the cache is keyed by upstream, issuer, client, scopes and profile, but not by the issuer's slash", async () => {
  await using it = await setUp();
  const token = await warm(it.config);
  const ask = async (change: Partial<LoginConfig>, upstream?: string) => {
    const user = person(undefined);
    const config = { ...it.config, login: { ...it.config.login, ...change } };
    await using credentials = await testCredentials(
      upstream === undefined ? config : { ...config, upstreamUrl: new URL(upstream) },
      user,
    );
    const headers = credentials.headers(soon()).then(bearer, () => "asked");
    return await Promise.race([user.asked.then(() => "asked"), headers]);
  };

  assert.equal(await ask({ issuerUrl: it.idp.issuer + "/" }), token);
  assert.equal(await ask({ scopes: ["openid"] }), "asked");
  assert.equal(await ask({ clientId: "other" }), "asked");
  assert.equal(await ask({ profile: "work" }), "asked");
  assert.equal(await ask({}, "http://127.0.0.1:9/other"), "asked");
});

Deno.test("an expired token is refreshed without a browser, and a rotated refresh token is kept", async () => {
  await using it = await setUp({ accessTtlSec: 600 });
  const first = await warm(it.config);
  const clock = movedClock();
  const user = person("alice");
  await using credentials = await testCredentials(it.config, { ...user, clock });
  assert.equal(bearer(await credentials.headers(soon())), first);

  clock.move(541_000);
  const second = bearer(await credentials.headers(soon()));
  clock.move(541_000);
  const third = bearer(await credentials.headers(soon()));

  assert.equal(new Set([first, second, third]).size, 3);
  assert.equal(it.idp.calls["/token:refresh_token"], 2);
  assert.deepEqual(user.addresses, []);
});

Deno.test("a refresh answer without a refresh token keeps the old one", async () => {
  await using it = await setUp({ accessTtlSec: 600, rotateRefreshTokens: false });
  await warm(it.config);
  const clock = movedClock();
  const user = person("alice");
  await using credentials = await testCredentials(it.config, { ...user, clock });
  for (let round = 0; round < 3; round++) {
    clock.move(600_000);
    await credentials.headers(soon());
  }

  assert.equal(it.idp.calls["/token:refresh_token"], 3);
  assert.deepEqual(user.addresses, []);
});

Deno.test("a refresh token that the server calls dead leads to one new login", async () => {
  await using it = await setUp({ accessTtlSec: 600 });
  const first = await warm(it.config);
  it.idp.revokeGrants();
  const clock = movedClock();
  clock.move(600_000);
  const user = person("alice");
  await using credentials = await testCredentials(it.config, { ...user, clock });

  const second = bearer(await credentials.headers(soon()));
  await user.settled();

  assert.ok(second);
  assert.notEqual(second, first);
  assert.equal(user.addresses.length, 1);
});

Deno.test("a 503 at refresh deletes nothing, asks nobody, and works later", async () => {
  await using it = await setUp({ accessTtlSec: 600 });
  await warm(it.config);
  const clock = movedClock();
  clock.move(600_000);
  const user = person("alice");
  it.idp.fail("/token", 503);
  {
    await using credentials = await testCredentials(it.config, { ...user, clock });
    await assert.rejects(credentials.headers(soon()), /503/);
    assert.equal(credentials.status().state, "failed");
    it.idp.fail("/token", undefined);
    clock.move(5_001);
    assert.ok(bearer(await credentials.headers(soon())));
    assert.equal(credentials.status().state, "ready");
  }

  assert.equal(user.addresses.length, 0);
  assert.equal(it.idp.calls["/token"], 3, "the login, the failure and the refresh");
});

Deno.test("while a token still lives, a refresh that cannot be made does no harm", async () => {
  await using it = await setUp({ accessTtlSec: 600 });
  const first = await warm(it.config);
  const clock = movedClock();
  await it.idp.down();
  const user = person("alice");
  await using credentials = await testCredentials(it.config, { ...user, clock });

  clock.move(545_000);

  assert.equal(bearer(await credentials.headers(soon())), first);
  assert.equal(bearer(await credentials.headers(soon())), first);
  assert.deepEqual(user.addresses, []);
});

Deno.test("of many callers in three instances one refreshes, and all get its token", async () => {
  await using it = await setUp({ accessTtlSec: 600 });
  await warm(it.config);
  const clock = movedClock();
  const user = person("alice");
  await using a = await testCredentials(it.config, { ...user, clock });
  await using b = await testCredentials(it.config, { ...user, clock });
  await using c = await testCredentials(it.config, { ...user, clock });
  for (const credentials of [a, b, c]) await credentials.headers(soon());

  clock.move(600_000);
  const calls = Array.from({ length: 20 }, (_, at) => [a, b, c][at % 3]?.headers(soon()));
  const tokens = (await Promise.all(calls)).map((found) => found && bearer(found));

  assert.equal(new Set(tokens).size, 1);
  assert.equal(it.idp.calls["/token:refresh_token"], 1);
  assert.deepEqual(user.addresses, []);
});

Deno.test("twenty calls with a 30 s token refresh twice at most", async () => {
  await using it = await setUp({ accessTtlSec: 30 });
  await warm(it.config);
  const clock = movedClock();
  const user = person("alice");
  await using credentials = await testCredentials(it.config, { ...user, clock });

  for (let call = 0; call < 20; call++) {
    await credentials.headers(soon());
    clock.move(2_000);
  }

  assert.ok((it.idp.calls["/token:refresh_token"] ?? 0) <= 2);
  assert.deepEqual(user.addresses, []);
});

Deno.test("a refused token is refreshed once for all who were refused", async () => {
  await using it = await setUp();
  await warm(it.config);
  const user = person("alice");
  await using credentials = await testCredentials(it.config, user);
  const used = await credentials.headers(soon());

  const refusal = { status: 401, challenge: null } as const;
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => credentials.renew(used, refusal, soon())),
  );

  assert.deepEqual(new Set(answers), new Set([true]));
  assert.equal(it.idp.calls["/token:refresh_token"], 1);
  assert.notEqual(bearer(await credentials.headers(soon())), bearer(used));
});

Deno.test("a token refused as soon as it is given does not open one browser after the other", async () => {
  await using it = await setUp({ refreshTokens: "never" });
  const user = person("alice");
  await using credentials = await testCredentials(it.config, user);
  const used = await credentials.headers(soon());

  const again = credentials.renew(used, { status: 401, challenge: null }, soon());

  await assert.rejects(again, /refuses the token that .* has just given/);
  await user.settled();
  assert.equal(user.addresses.length, 1);
});

Deno.test("a refusal in the browser ends the login with a page that says so", async () => {
  await using it = await setUp();
  const user = person("!deny");
  await using credentials = await testCredentials(it.config, user);

  await assert.rejects(credentials.headers(soon()), /access was denied in the browser/);
  await user.settled();

  assert.equal(user.pages[0]?.status, 400);
  assert.match(user.pages[0]?.html ?? "", /The login did not work/);
});

Deno.test("a login that nobody finishes ends, and the next one can be made", async () => {
  await using it = await setUp({}, { loginTimeoutMs: 300 });
  const clock = movedClock();
  const nobody = person(undefined);
  await using first = await testCredentials(it.config, { ...nobody, clock });
  await assert.rejects(first.headers(soon()), /nobody finished it within/);
  await assert.rejects(first.headers(soon()), /nobody finished it within/);
  assert.equal(nobody.addresses.length, 1, "the pause after a failure asks nobody");

  const config = { ...it.config, login: { ...it.config.login, loginTimeoutMs: 20_000 } };
  assert.ok(await warm(config));
});

Deno.test("a taken callback port is named, and no browser opens", async () => {
  const port = freePort();
  using _taken = Deno.listen({ hostname: "127.0.0.1", port });
  await using it = await setUp({}, { redirectUrl: new URL(`http://localhost:${port}/auth/callback`) });
  const user = person("alice");
  await using credentials = await testCredentials(it.config, user);

  await assert.rejects(credentials.headers(soon()), new RegExp(`port ${port}: it is taken`));
  assert.deepEqual(user.addresses, []);
});

Deno.test("an authorization server that denies S256 is refused unless the user insists", async () => {
  await using it = await setUp({
    discovery: (document) => void (document.code_challenge_methods_supported = ["plain"]),
  });
  const user = person("alice");
  {
    await using credentials = await testCredentials(it.config, user);
    await assert.rejects(credentials.headers(soon()), /does not announce PKCE with S256/);
  }
  assert.deepEqual(user.addresses, []);
  assert.ok(await warm({ ...it.config, login: { ...it.config.login, allowMissingPkce: true } }));
});

Deno.test("the end of the program ends a login at once and frees port and lock", async () => {
  await using it = await setUp();
  const nobody = person(undefined);
  {
    await using credentials = await testCredentials(it.config, nobody);
    credentials.headers(soon()).catch(() => {});
    await nobody.asked;
  }

  assert.ok(await warm(it.config));
});

Deno.test("a cache copied to another machine works there, and a deleted one means a new login", async () => {
  await using it = await setUp();
  const token = await warm(it.config);
  const copy = `${it.dir.path}/copied`;
  await Deno.mkdir(copy, { mode: 0o700 });
  await Deno.copyFile(`${it.config.login.cacheDir}/tokens.kv`, `${copy}/tokens.kv`);
  await Deno.chmod(`${copy}/tokens.kv`, 0o600);
  const there = { ...it.config, login: { ...it.config.login, cacheDir: copy } };
  const user = person("alice");
  {
    await using credentials = await testCredentials(there, user);
    assert.equal(bearer(await credentials.headers(soon())), token);
    assert.deepEqual(user.addresses, []);
  }

  await Deno.remove(copy, { recursive: true });
  await using credentials = await testCredentials(there, user);
  assert.ok(bearer(await credentials.headers(soon())));
  await user.settled();
  assert.equal(user.addresses.length, 1);
});

Deno.test("token_refresh.log tells what became of the tokens, privately and without them", async () => {
  await using it = await setUp({ accessTtlSec: 600 });
  const first = await warm(it.config);
  const clock = movedClock();
  const user = person("alice");
  await using credentials = await testCredentials(it.config, { ...user, clock });
  clock.move(600_000);
  const second = bearer(await credentials.headers(soon())) ?? "";
  it.idp.fail("/token", 503);
  clock.move(600_000);
  await assert.rejects(credentials.headers(soon()));

  const file = `${it.config.login.cacheDir}/token_refresh.log`;
  const text = await Deno.readTextFile(file);
  const lines = text.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.map(({ event }) => event), ["logged_in", "refreshed", "refresh_failed"]);
  assert.match(lines[2].cause, /503/);
  for (const secret of [first, second, it.idp.clientSecret]) assert.equal(text.includes(secret), false);
  assert.equal(((await Deno.stat(file)).mode ?? 0) & 0o077, 0);
});

Deno.test("a follower shows the address that the leader waits for, and gets its token", async () => {
  await using it = await setUp();
  const nobody = person(undefined);
  const follower = person(undefined);
  await using first = await testCredentials(it.config, nobody);
  const url = await nobody.asked;
  await using second = await testCredentials(it.config, follower);
  const waiting = second.headers(soon());
  for (;;) {
    const status = second.status();
    if (status.state === "waiting_for_user") {
      assert.equal(status.url, url.href);
      break;
    }
    await second.changed(soon());
  }

  const user = person("alice");
  user.print(url.href);
  await user.settled();

  assert.equal(bearer(await waiting), bearer(await first.headers(soon())));
  assert.deepEqual(follower.addresses, []);
});

Deno.test("a follower shows the page and the code of the leader's device login", async () => {
  await using it = await setUp({}, { grant: "device_code", clientId: "terminal", clientSecret: "sesame" });
  await it.idp.addClient({
    client_id: "terminal",
    client_secret: "sesame",
    grant_types: ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
    redirect_uris: [],
    response_types: [],
  });
  const said = Promise.withResolvers<string>();
  await using first = await testCredentials(it.config, { print: said.resolve });
  const leading = first.headers(soon());
  leading.catch(() => {});
  const line = await Promise.race([said.promise, leading.then(() => "")]);
  const follower = person(undefined);
  await using second = await testCredentials(it.config, follower);
  const waiting = second.headers(soon()).catch(() => {});
  let status = second.status();
  while (status.state !== "waiting_for_user") {
    await second.changed(soon());
    status = second.status();
  }

  assert.deepEqual(status, first.status());
  assert.ok(status.userCode !== undefined && line.includes(status.userCode));
  assert.deepEqual(follower.addresses, []);
  assert.deepEqual(pendingLogins(it.config.login.cacheDir), [], "nothing that could be pasted into");
  await second[Symbol.asyncDispose]();
  await first[Symbol.asyncDispose]();
  await waiting;
});

Deno.test("who waited for a login that was refused does not ask the person again", async () => {
  await using it = await setUp();
  const nobody = person(undefined);
  const followers = [person(undefined), person(undefined)];
  await using leader = await testCredentials(it.config, nobody);
  const url = await nobody.asked;
  await using second = await testCredentials(it.config, followers[0]);
  await using third = await testCredentials(it.config, followers[1]);
  const all = [leader, second, third].map((credentials) => credentials.headers(soon()));
  const refused = Promise.all(
    all.map((headers) => assert.rejects(headers, /access was denied in the browser/)),
  );
  await second.changed(soon());

  const user = person("!deny");
  user.print(url.href);
  await user.settled();
  await refused;

  assert.equal(nobody.addresses.length, 1);
  for (const { addresses } of followers) assert.deepEqual(addresses, []);
});
