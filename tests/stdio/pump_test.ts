import assert from "node:assert/strict";
import { startUpstream } from "../fakes/upstream.ts";
import { shakeHands, startPump } from "../support/pump.ts";

for (const json of [true, false]) {
  const form = json ? "JSON" : "SSE";
  Deno.test(`the pump carries a session to an upstream that answers with ${form}, and ends it`, async () => {
    await using upstream = startUpstream({ json });
    {
      await using pump = startPump(upstream.url);

      const hello = await shakeHands(pump);
      const called = await pump.ask({
        jsonrpc: "2.0",
        id: "a",
        method: "tools/call",
        params: { name: "echo", arguments: { text: "said to the tool alone" } },
      });

      assert.equal(hello.result.protocolVersion, "2025-11-25");
      assert.deepEqual(called.result.content, [{ type: "text", text: "said to the tool alone" }]);
      assert.equal(upstream.last("tools/call")?.headers.get("mcp-protocol-version"), "2025-11-25");
      assert.equal(upstream.sessions.size, 1);
    }
    assert.equal(upstream.sessions.size, 0);
    assert.equal(upstream.received.at(-1)?.method, "DELETE");
  });
}

Deno.test("what the upstream says on its own stream reaches the host", async () => {
  await using upstream = startUpstream();
  await using pump = startPump(upstream.url);
  await shakeHands(pump);
  await pump.ask({ jsonrpc: "2.0", id: 1, method: "ping" });
  while (!upstream.received.some(({ method }) => method === "GET")) {
    await new Promise((go) => setTimeout(go, 5));
  }

  await upstream.toolsChanged();

  await pump.find((message) => message.method === "notifications/tools/list_changed");
});

Deno.test("a request that cannot be answered gets an error with its own id, of its own type", async () => {
  await using upstream = startUpstream();
  const { url } = upstream;
  await upstream.down();
  await using pump = startPump(url);

  for (const id of [7, "7"]) {
    const { error } = await pump.ask({ jsonrpc: "2.0", id, method: "tools/call", params: { name: "echo" } });
    assert.equal(error.code, -31001);
    assert.match(error.message, /Cannot reach http:\/\/127\.0\.0\.1/);
    assert.ok(error.data.hint);
  }
});

Deno.test("a session that the upstream forgot is opened again, once for all, and the calls go through", async () => {
  await using upstream = startUpstream();
  await using pump = startPump(upstream.url);
  await shakeHands(pump);
  await pump.ask({ jsonrpc: "2.0", id: "s", method: "resources/subscribe", params: { uri: "note://one" } });
  await upstream.forgetSessions();
  upstream.received.length = 0;

  const calls = Array.from(
    { length: 20 },
    (_, id) =>
      pump.ask({
        jsonrpc: "2.0",
        id: id + 100,
        method: "tools/call",
        params: { name: "echo", arguments: { text: `${id}` } },
      }),
  );
  const answers = await Promise.all(calls);

  assert.deepEqual(answers.map((answer) => answer.result?.content[0].text), answers.map((_, id) => `${id}`));
  const methods = upstream.received.map(({ rpcMethod }) => rpcMethod);
  assert.equal(methods.filter((method) => method === "initialize").length, 1);
  assert.equal(methods.filter((method) => method === "resources/subscribe").length, 1);
  assert.match(upstream.last("initialize")?.body ?? "", /test-host/);
  assert.equal(upstream.sessions.size, 1);
});
