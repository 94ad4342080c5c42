/** Credentials that need nobody: a client's own token, and headers of the user's. */
import assert from "node:assert/strict";
import { loadConfig } from "../../lib/config/config.ts";
import type { StdioConfig } from "../../lib/stdio/config.ts";
import { startIdp } from "../fakes/idp.ts";
import {
  bearer,
  movedClock,
  person,
  soon,
  stdioConfig,
  temporaryDir,
  testCredentials,
} from "./login_setup.ts";

/** What the command line and the environment of a user come to. */
function configured(home: string, env: Record<string, string>): StdioConfig {
  const config = loadConfig(["http://127.0.0.1:9/mcp"], {
    env: { HOME: home, ...env },
    readFile: () => {
      throw new Deno.errors.NotFound();
    },
  });
  assert.equal(config.mode, "stdio");
  return config as StdioConfig;
}

Deno.test("client credentials at a configured issuer ask for no scope of a person, and are fetched anew at their end", async () => {
  await using dir = await temporaryDir();
  await using idp = await startIdp({ accessTtlSec: 600 });
  await idp.addClient({
    client_id: "machine",
    client_secret: "machine-secret",
    grant_types: ["client_credentials"],
    redirect_uris: [],
    response_types: [],
  });
  const config = configured(dir.path, {
    OIDC_ISSUER_URL: idp.issuer,
    OIDC_GRANT: "client_credentials",
    OIDC_CLIENT_ID: "machine",
    OIDC_CLIENT_SECRET: "machine-secret",
  });
  const clock = movedClock();
  const nobody = person(undefined);
  await using credentials = await testCredentials(config, { ...nobody, clock });

  const first = bearer(await credentials.headers(soon()));
  assert.equal(bearer(await credentials.headers(soon())), first);
  clock.move(541_000);
  const second = bearer(await credentials.headers(soon()));

  assert.ok(first !== undefined && second !== undefined && first !== second);
  assert.equal(idp.tokenRequests.length, 2);
  assert.equal(idp.tokenRequests[0]?.get("scope"), null);
  assert.deepEqual(nobody.addresses, []);
});

Deno.test("an Authorization header of the user's own is all that is sent, and a refusal asks nobody", async () => {
  const config = stdioConfig("/nowhere", {}, { headers: [["Authorization", "Bearer own"], ["X-Team", "a"]] });
  const nobody = person(undefined);
  await using credentials = await testCredentials(config, nobody);

  const used = await credentials.headers(soon());

  assert.deepEqual(used.list, [["Authorization", "Bearer own"], ["X-Team", "a"]]);
  assert.equal(await credentials.renew(used, { status: 401, challenge: "Bearer" }, soon()), false);
  assert.deepEqual(nobody.addresses, []);
});

Deno.test("other headers go beside the token, and without one", async () => {
  await using dir = await temporaryDir();
  await using idp = await startIdp();
  const login = { issuerUrl: idp.issuer, clientId: idp.clientId, clientSecret: idp.clientSecret };
  const headers = [["X-Team", "a"]] as const;
  const config = stdioConfig(`${dir.path}/c`, login, { headers });
  await idp.addRedirect(config.login.redirectUrl.href);
  const user = person("alice");
  await using credentials = await testCredentials(config, user);
  await using discovering = await testCredentials(stdioConfig(`${dir.path}/d`, {}, { headers }), user);

  const { list } = await credentials.headers(soon());
  await user.settled();

  assert.deepEqual(list.map(([name]) => name), ["X-Team", "authorization"]);
  assert.deepEqual((await discovering.headers(soon())).list, [["X-Team", "a"]]);
});
