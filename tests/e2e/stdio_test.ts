import assert from "node:assert/strict";
import { startIdp, type TestIdp } from "../fakes/idp.ts";
import { unusedPort } from "../fakes/raw_upstream.ts";
import { startUpstream } from "../fakes/upstream.ts";
import { connectStdioV1, connectStdioV2 } from "../support/stdio_client.ts";
import { onResourceUpdated, talkativeClient } from "../support/talkative_client.ts";

Deno.test("the version 1 SDK's stdio client gets through the login to tools, progress and the server's own requests", async () => {
  await using idp = await startIdp({ audience: "mcp-server" });
  await using upstream = startUpstream({
    validating: { issuer: idp.issuer, audience: "mcp-server", metadata: false },
    instructions: "be brief",
  });
  await using place = await newPlace(idp);
  const options = { upstreamUrl: upstream.url, ...place, user: "bob", client: talkativeClient() };
  await using session = await connectStdioV1(options);
  const { client } = session;
  const steps: number[] = [];
  const changed = Promise.withResolvers<string>();
  onResourceUpdated(client, (uri) => changed.resolve(uri));

  const { tools } = await client.listTools();
  const slow = await client.callTool({ name: "slow", arguments: { steps: 3, delayMs: 100 } }, undefined, {
    onprogress: ({ progress }) => steps.push(progress),
  });
  const claims = await client.callTool({ name: "claims" });
  const sampled = await client.callTool({ name: "sample", arguments: { prompt: "hello" } });
  const elicited = await client.callTool({ name: "elicit" });
  await client.subscribeResource({ uri: "note://one" });
  await client.callTool({ name: "change" });

  assert.equal(client.getServerVersion()?.name, "test-upstream");
  assert.equal(client.getInstructions(), "be brief");
  assert.ok(tools.length > 5);
  assert.deepEqual(slow.content, [{ type: "text", text: "done in 3 steps" }]);
  assert.deepEqual(steps, [1, 2, 3]);
  assert.match(JSON.stringify(claims.content), /\\"sub\\":\\"bob\\"/);
  assert.match(JSON.stringify(sampled.content), /sampled: .*hello/);
  assert.match(JSON.stringify(elicited.content), /doorman/);
  assert.equal(await changed.promise, "note://one");
  assert.equal(session.logins.length, 1);
});

Deno.test("the version 2 SDK's stdio client speaks the stateless revision through stdio mode", async () => {
  await using idp = await startIdp({ audience: "mcp-server" });
  await using upstream = startUpstream({
    eras: "modern",
    validating: { issuer: idp.issuer, audience: "mcp-server", metadata: false },
  });
  await using place = await newPlace(idp);
  await using session = await connectStdioV2({ upstreamUrl: upstream.url, ...place, user: "alice" });
  const steps: number[] = [];

  const { tools } = await session.client.listTools();
  const slow = await session.client.callTool({ name: "slow", arguments: { steps: 3, delayMs: 100 } }, {
    onprogress: ({ progress }) => steps.push(progress),
  });

  assert.ok(tools.length > 3);
  assert.deepEqual(slow.content, [{ type: "text", text: "done in 3 steps" }]);
  assert.deepEqual(steps, [1, 2, 3]);
  assert.equal(upstream.sessions.size, 0);
});

Deno.test("a second start of stdio mode uses the kept token, refreshes it when due, and asks nobody", async () => {
  await using idp = await startIdp({ audience: "mcp-server", accessTtlSec: 2 });
  await using upstream = startUpstream({
    validating: { issuer: idp.issuer, audience: "mcp-server", metadata: false },
  });
  await using place = await newPlace(idp);
  const options = { upstreamUrl: upstream.url, ...place, user: "alice" };
  {
    await using first = await connectStdioV1(options);
    await first.client.listTools();
    assert.equal(first.logins.length, 1);
  }
  await new Promise((resolve) => setTimeout(resolve, 2_100));

  await using second = await connectStdioV1(options);
  const claims = await second.client.callTool({ name: "claims" });

  assert.match(JSON.stringify(claims.content), /alice/);
  assert.equal(second.logins.length, 0);
  assert.ok((idp.calls["/token:refresh_token"] ?? 0) >= 1);
  assert.equal(idp.calls["/token:authorization_code"], 1);
});

Deno.test("stdio mode ends the upstream's session when its host goes", async () => {
  await using idp = await startIdp({ audience: "mcp-server" });
  await using upstream = startUpstream({
    validating: { issuer: idp.issuer, audience: "mcp-server", metadata: false },
  });
  await using place = await newPlace(idp);
  {
    await using session = await connectStdioV1({ upstreamUrl: upstream.url, ...place, user: "alice" });
    await session.client.listTools();
    assert.equal(upstream.sessions.size, 1);
  }

  assert.equal(upstream.sessions.size, 0);
  assert.ok(upstream.received.some((request) => request.method === "DELETE"));
});

/** An empty home, and the settings with which stdio mode finds this IdP. */
async function newPlace(idp: TestIdp) {
  const redirect = `http://localhost:${unusedPort()}/auth/callback`;
  await idp.addRedirect(redirect);
  const home = await Deno.makeTempDir();
  return {
    home,
    env: {
      OIDC_ISSUER_URL: idp.issuer,
      OIDC_CLIENT_ID: idp.clientId,
      OIDC_CLIENT_SECRET: idp.clientSecret,
      OIDC_REDIRECT_URL: redirect,
    },
    [Symbol.asyncDispose]: () => Deno.remove(home, { recursive: true }),
  };
}
