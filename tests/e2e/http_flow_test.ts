import assert from "node:assert/strict";
import { startIdp } from "../fakes/idp.ts";
import { startUpstream } from "../fakes/upstream.ts";
import { startHttpMode } from "../support/http_mode.ts";
import { connectV1, connectV2 } from "../support/mcp_client.ts";
import { onResourceUpdated, talkativeClient } from "../support/talkative_client.ts";
import { call, logIn, refresh, rpcAnswer } from "../support/oauth_client.ts";

const forward = ["--outbound-auth", "forward", "--audience", "mcp-server"];

Deno.test("a client that follows the metadata gets from 401 to a tool call, and to another after a refresh", async () => {
  await using idp = await startIdp({ audience: "mcp-server" });
  await using upstream = startUpstream({
    validating: { issuer: idp.issuer, audience: "mcp-server", metadata: false },
  });
  await using http = await startHttpMode({ idp, upstreamUrl: upstream.url, args: forward });

  const { found, client, tokens } = await logIn(http.mcpUrl, { user: "bob" });
  const renewed = await refresh(found, client, tokens.refresh_token ?? "");

  assert.equal(found.resource.resource, http.mcpUrl);
  assert.equal(found.server.issuer, http.baseUrl);
  for (const token of [tokens.access_token, renewed.access_token]) {
    const initialized = await call(http.mcpUrl, token, initialize);
    const session = initialized.headers.get("mcp-session-id") ?? "";
    await initialized.body?.cancel();
    const answer = await rpcAnswer(
      await call(http.mcpUrl, token, toolCall("claims"), { "mcp-session-id": session }),
    );
    const claims = JSON.parse(textOf(answer));
    assert.equal(claims.sub, "bob");
    assert.equal(claims.aud, "mcp-server");
  }
  assert.notEqual(renewed.access_token, tokens.access_token);
  assert.equal(idp.calls["/token:refresh_token"], 1);
});

Deno.test("the version 1 SDK's client connects with its own OAuth, lists tools, calls one and gets progress", async () => {
  await using idp = await startIdp();
  await using upstream = startUpstream();
  await using http = await startHttpMode({ idp, upstreamUrl: upstream.url });
  const { client, transport } = await connectV1(http.mcpUrl, { user: "alice" });
  const steps: number[] = [];

  const { tools } = await client.listTools();
  const result = await client.callTool({ name: "slow", arguments: { steps: 4, delayMs: 100 } }, undefined, {
    onprogress: ({ progress }) => steps.push(progress),
  });

  assert.ok(tools.some((tool) => tool.name === "slow"));
  assert.deepEqual(result.content, [{ type: "text", text: "done in 4 steps" }]);
  assert.deepEqual(steps, [1, 2, 3, 4]);
  await transport.terminateSession();
  await client.close();
  assert.equal(upstream.sessions.size, 0);
});

Deno.test("the version 2 SDK's client connects with its own OAuth and speaks the stateless revision", async () => {
  await using idp = await startIdp();
  await using upstream = startUpstream({ eras: "modern" });
  await using http = await startHttpMode({ idp, upstreamUrl: upstream.url });
  const { client } = await connectV2(http.mcpUrl, { user: "alice" });
  const steps: number[] = [];

  const { tools } = await client.listTools();
  const result = await client.callTool({ name: "slow", arguments: { steps: 3, delayMs: 100 } }, {
    onprogress: ({ progress }) => steps.push(progress),
  });

  assert.ok(tools.some((tool) => tool.name === "slow"));
  assert.deepEqual(result.content, [{ type: "text", text: "done in 3 steps" }]);
  assert.deepEqual(steps, [1, 2, 3]);
  assert.equal(upstream.sessions.size, 0);
  await client.close();
});

Deno.test("sampling, elicitation, subscriptions and announcements reach the version 1 client through http mode", async () => {
  await using idp = await startIdp();
  await using upstream = startUpstream();
  await using http = await startHttpMode({ idp, upstreamUrl: upstream.url });
  const { client } = await connectV1(http.mcpUrl, { client: talkativeClient() });
  const changed = Promise.withResolvers<string>();
  onResourceUpdated(client, (uri) => changed.resolve(uri));

  const sampled = await client.callTool({ name: "sample", arguments: { prompt: "hello" } });
  const elicited = await client.callTool({ name: "elicit" });
  await client.subscribeResource({ uri: "note://one" });
  await client.callTool({ name: "change" });

  assert.match(JSON.stringify(sampled.content), /sampled: .*hello/);
  assert.match(JSON.stringify(elicited.content), /doorman/);
  assert.equal(await changed.promise, "note://one");
  assert.deepEqual(
    (await client.complete({
      ref: { type: "ref/prompt", name: "greet" },
      argument: { name: "name", value: "al" },
    })).completion.values,
    ["alice"],
  );
  assert.equal((await client.readResource({ uri: "note://two" })).contents.length, 1);
  await client.close();
});

Deno.test("ten users at the same time never see each other's data", async () => {
  const users = Object.fromEntries(
    Array.from(
      { length: 10 },
      (_, n) => [`user${n}`, { email: `user${n}@example.com`, email_verified: true }],
    ),
  );
  await using idp = await startIdp({ users, audience: "mcp-server" });
  await using upstream = startUpstream({
    validating: { issuer: idp.issuer, audience: "mcp-server", metadata: false },
  });
  await using http = await startHttpMode({ idp, upstreamUrl: upstream.url, args: forward });

  const sessions = await Promise.all(
    Object.keys(users).map(async (user) => {
      const { tokens } = await logIn(http.mcpUrl, { user });
      const initialized = await call(http.mcpUrl, tokens.access_token, initialize);
      await initialized.body?.cancel();
      assert.equal(initialized.status, 200);
      const session = initialized.headers.get("mcp-session-id") ?? "";
      for (let round = 0; round < 10; round++) {
        const answer = await rpcAnswer(
          await call(http.mcpUrl, tokens.access_token, toolCall("claims"), { "mcp-session-id": session }),
        );
        assert.equal(JSON.parse(textOf(answer)).sub, user);
      }
      return { user, token: tokens.access_token, session };
    }),
  );

  const [first, second] = sessions;
  assert.ok(first !== undefined && second !== undefined);
  const foreign = await call(http.mcpUrl, first.token, toolCall("claims"), {
    "mcp-session-id": second.session,
  });
  assert.equal(foreign.status, 404, await foreign.text());
});

const initialize = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "scripted", version: "1" } },
};

function toolCall(name: string, args: Record<string, unknown> = {}) {
  return { jsonrpc: "2.0", id: 2, method: "tools/call", params: { name, arguments: args } };
}

function textOf(answer: Record<string, unknown>): string {
  const result = answer.result as { content?: { text: string }[] } | undefined;
  const text = result?.content?.[0]?.text;
  assert.ok(text !== undefined, JSON.stringify(answer));
  return text;
}
