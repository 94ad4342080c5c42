import assert from "node:assert/strict";
import { fakeClock, pass, passUntil } from "../fakes/clock.ts";
import { shakeHands, startPump } from "../support/pump.ts";
import { eventStream, plainInitialize, type RawRequest, rawUpstream } from "../support/raw_upstream.ts";

/** A server of revision 2024-11-05. `endpoint` is what its stream names; one session for each stream. */
function legacyServer(options: { path?: string; endpoint?: (session: number) => string } = {}) {
  const path = options.path ?? "/sse";
  const streams: ReturnType<typeof eventStream>[] = [];
  const said: string[] = [];
  const answer = (request: RawRequest) => {
    if (request.path === path && request.method === "GET") {
      const stream = eventStream();
      streams.push(stream);
      const named = options.endpoint?.(streams.length) ?? `/messages/${streams.length}`;
      stream.write(`event: endpoint\ndata: ${named}\n\n`);
      return stream.response;
    }
    const session = Number(/^\/messages\/(\d+)$/.exec(request.path)?.[1]);
    const stream = streams[session - 1];
    if (request.method !== "POST" || stream === undefined) {
      return new Response(null, { status: request.path === path ? 405 : 404 });
    }
    const { id, method } = request.rpc;
    said.push(`${session} ${method}`);
    if (id !== undefined && method !== "tools/call") {
      stream.event({ jsonrpc: "2.0", id, result: method === "initialize" ? plainInitialize : { method } });
    }
    return new Response("Accepted", { status: 202 });
  };
  return { server: rawUpstream(answer, { path }), streams, said };
}

for (const path of ["/sse", "/mcp"]) {
  Deno.test(`an upstream of the first transport is spoken to by its stream (${path})`, async () => {
    const { server, streams, said } = legacyServer({ path });
    await using upstream = server;
    await using pump = startPump(upstream.url);

    const hello = await shakeHands(pump);
    const listed = await pump.ask({ jsonrpc: "2.0", id: "l", method: "tools/list" });
    streams[0]?.event({ jsonrpc: "2.0", method: "notifications/tools/list_changed" });

    assert.equal(hello.result.serverInfo.name, "raw");
    assert.deepEqual(listed.result, { method: "tools/list" });
    await pump.find((message) => message.method === "notifications/tools/list_changed");
    assert.deepEqual(said, ["1 initialize", "1 notifications/initialized", "1 tools/list"]);
  });
}

Deno.test("a stream that ends gives its calls errors; the next request opens another and introduces the host again", async () => {
  const { server, streams, said } = legacyServer();
  await using upstream = server;
  await using pump = startPump(upstream.url);
  await shakeHands(pump);
  await pump.ask({ jsonrpc: "2.0", id: "s", method: "resources/subscribe", params: { uri: "a://b" } });
  pump.send({ jsonrpc: "2.0", id: "lost", method: "tools/call", params: { name: "x" } });
  await upstream.request(({ rpc }) => rpc?.method === "tools/call");

  streams[0]?.end();
  const { error } = await pump.answer("lost");
  const next = await pump.ask({ jsonrpc: "2.0", id: "next", method: "tools/list" });

  assert.equal(error.code, -31004);
  assert.deepEqual(next.result, { method: "tools/list" });
  assert.deepEqual(said.filter((line) => line.startsWith("2 ")), [
    "2 initialize",
    "2 notifications/initialized",
    "2 resources/subscribe",
    "2 tools/list",
  ]);
  assert.equal(pump.lines.length, 4);
});

Deno.test("a call on a silent stream gets an error when the upstream cannot be connected to any more", async () => {
  const { server } = legacyServer();
  await using upstream = server;
  const clock = fakeClock();
  await using pump = startPump(upstream.url, { clock });
  await shakeHands(pump);
  pump.send({ jsonrpc: "2.0", id: "lost", method: "tools/call", params: { name: "x" } });
  await upstream.request(({ rpc }) => rpc?.method === "tools/call");
  await pass(clock, 100);
  assert.equal(pump.lines.length, 1);

  upstream.stopListening();

  assert.equal((await passUntil(clock, pump.answer("lost"))).error.code, -31004);
});

Deno.test("after the machine slept a new stream is opened and the host introduced again, without a request of his", async () => {
  const { server, streams, said } = legacyServer();
  await using upstream = server;
  await using pump = startPump(upstream.url);
  await shakeHands(pump);
  await pump.ask({ jsonrpc: "2.0", id: "l", method: "tools/list" });

  pump.pump.upstream.wake();
  await upstream.request(({ path, rpc }) =>
    path === "/messages/2" && rpc.method === "notifications/initialized"
  );
  streams[1]?.event({ jsonrpc: "2.0", method: "notifications/tools/list_changed" });

  await pump.find((message) => message.method === "notifications/tools/list_changed");
  assert.deepEqual(said.slice(-2), ["2 initialize", "2 notifications/initialized"]);
  assert.equal(pump.lines.length, 3);
});

Deno.test("messages and credentials are not sent to another origin that a stream names", async () => {
  await using other = rawUpstream(() => new Response(null, { status: 202 }));
  const { server } = legacyServer({ endpoint: () => other.url });
  await using upstream = server;
  await using pump = startPump(upstream.url);

  const { error } = await pump.ask({ jsonrpc: "2.0", id: 1, method: "initialize", params: {} });

  assert.ok(error);
  assert.equal(other.requests.length, 0);
});

Deno.test("an address in /sse that is no stream is spoken to by POST", async () => {
  await using upstream = rawUpstream(
    (request) =>
      request.method === "POST" && request.rpc.id !== undefined
        ? Response.json({ jsonrpc: "2.0", id: request.rpc.id, result: plainInitialize })
        : new Response(null, { status: 405 }),
    { path: "/sse" },
  );
  await using pump = startPump(upstream.url);

  assert.equal((await shakeHands(pump)).result.serverInfo.name, "raw");
});
