import assert from "node:assert/strict";
import { startUpstream } from "../fakes/upstream.ts";
import { initializeMessage, startPump } from "../support/pump.ts";
import { rawUpstream, rpcResult } from "../support/raw_upstream.ts";

const introduction = {
  protocolVersion: "2025-11-25",
  capabilities: { experimental: { "x/y": { z: 1 } }, tools: {}, completions: {}, tasks: { list: {} } },
  serverInfo: {
    name: "up",
    title: "Up",
    version: "9",
    websiteUrl: "https://up.example",
    icons: [{ src: "data:," }],
    description: "d",
  },
  instructions: "read me",
  _meta: { "up/thing": [1] },
};

Deno.test("the upstream's own name, capabilities and instructions reach the host, the host's own reach the upstream", async () => {
  await using upstream = rawUpstream((request) => rpcResult(request, introduction));
  await using pump = startPump(upstream.url);

  const { result } = await pump.ask(initializeMessage());

  assert.deepEqual(result, introduction);
  assert.equal(upstream.requests[0]?.text, JSON.stringify(initializeMessage()));
  assert.equal(upstream.requests.filter(({ method }) => method === "POST").length, 1);
});

Deno.test("configured words replace the upstream's, and nothing else changes", async () => {
  await using upstream = rawUpstream((request) => rpcResult(request, introduction));
  const identity = {
    name: "ours",
    version: "1.0",
    websiteUrl: "https://our.example",
    instructions: "do this",
  };
  await using pump = startPump(upstream.url, { identity });

  const { result } = await pump.ask(initializeMessage());
  const other = await pump.ask({ jsonrpc: "2.0", id: 1, method: "tools/list" });

  const { instructions, ...info } = identity;
  assert.deepEqual(result, {
    ...introduction,
    instructions,
    serverInfo: { ...introduction.serverInfo, ...info },
  });
  assert.deepEqual(other.result, introduction);
});

Deno.test("configured words replace those of server/discover", async () => {
  await using upstream = startUpstream({ eras: "modern" });
  await using pump = startPump(upstream.url, { identity: { name: "ours" } });
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": { name: "host", version: "1" },
  };

  const { result } = await pump.ask({ jsonrpc: "2.0", id: 1, method: "server/discover", params: { _meta } });

  assert.equal(result._meta["io.modelcontextprotocol/serverInfo"].name, "ours");
  assert.equal(result._meta["io.modelcontextprotocol/serverInfo"].version, "1.2.3");
});

Deno.test("lists keep their pages, and a call is one request upstream", async () => {
  await using upstream = rawUpstream((request) =>
    rpcResult(
      request,
      request.rpc.params?.cursor === "p2"
        ? { tools: [{ name: "b" }] }
        : { tools: [{ name: "a" }], nextCursor: "p2" },
    )
  );
  await using pump = startPump(upstream.url);

  const first = await pump.ask({ jsonrpc: "2.0", id: 1, method: "tools/list" });
  const second = await pump.ask({ jsonrpc: "2.0", id: 2, method: "tools/list", params: { cursor: "p2" } });
  await pump.ask({ jsonrpc: "2.0", id: 3, method: "tools/call", params: { name: "b" } });

  assert.equal(first.result.nextCursor, "p2");
  assert.deepEqual(second.result.tools, [{ name: "b" }]);
  assert.equal(upstream.requests.length, 3);
});

Deno.test("a compressed answer arrives readable", async () => {
  await using upstream = rawUpstream((request) => {
    assert.equal(request.headers.get("accept-encoding"), "identity");
    const text = JSON.stringify({ jsonrpc: "2.0", id: request.rpc.id, result: { text: "x".repeat(5_000) } });
    const body = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
    return new Response(body, {
      headers: { "content-type": "application/json", "content-encoding": "gzip" },
    });
  });
  await using pump = startPump(upstream.url);

  assert.equal((await pump.ask({ jsonrpc: "2.0", id: 1, method: "x" })).result.text.length, 5_000);
});
