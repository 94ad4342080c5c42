import assert from "node:assert/strict";
import { startIdp } from "../fakes/idp.ts";
import { person, soon, stdioConfig, temporaryDir, testCredentials } from "./login_setup.ts";

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
});
