import assert from "node:assert/strict";
import { startIdp } from "../fakes/idp.ts";
import { startUpstream } from "../fakes/upstream.ts";
import { newBrowser } from "../support/browser.ts";
import { startDoorman } from "../support/process.ts";
import { initializeMessage } from "../support/pump.ts";

Deno.test("a host is answered while a person logs in for real, and gets the tools without a restart", async () => {
  await using idp = await startIdp({ users: { alice: {} }, audience: "up", accessTokens: "jwt" });
  await using upstream = startUpstream({ validating: { issuer: idp.issuer, audience: "up" } });
  const port = 20_000 + Math.floor(Math.random() * 8_000);
  const redirect = `http://localhost:${port}/callback`;
  idp.addRedirect(redirect);
  await using process = startDoorman([upstream.url, "--first-answer-timeout", "300ms"], {
    env: {
      OIDC_ISSUER_URL: idp.issuer,
      OIDC_CLIENT_ID: idp.clientId,
      OIDC_CLIENT_SECRET: idp.clientSecret,
      OIDC_REDIRECT_URL: redirect,
      BROWSER: "true",
    },
  });
  const ask = async (id: number, method: string, params = {}) => {
    await process.write(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    return JSON.parse(await process.line("stdout", new RegExp(`"id":${id}[,}]`)));
  };

  await process.write(JSON.stringify(initializeMessage(0)));
  const hello = JSON.parse(await process.line("stdout", /"id":0/));
  await process.write('{"jsonrpc":"2.0","method":"notifications/initialized"}');
  const before = await ask(1, "tools/list");
  const login = await ask(2, "tools/call", { name: "login", arguments: {} });
  const address = /http\S+/.exec(login.result.content[0].text)?.[0] ?? "";
  await newBrowser({ user: "alice" }).open(address);
  await process.line("stdout", /tools\/list_changed/);
  const after = await ask(3, "tools/list");
  const called = await ask(4, "tools/call", { name: "echo", arguments: { text: "in" } });

  assert.deepEqual(hello.result.capabilities, { tools: { listChanged: true } });
  assert.deepEqual(before.result.tools.map(({ name }: { name: string }) => name), ["login"]);
  assert.ok(after.result.tools.length > 3);
  assert.equal(called.result.content[0].text, "in");
});
