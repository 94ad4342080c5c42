import assert from "node:assert/strict";
import { memoryCounters } from "../../lib/base/counters.ts";
import type { Fields } from "../../lib/base/log.ts";
import { peek } from "../../lib/http/peek.ts";
import { ToolMetrics } from "../../lib/http/tool_metrics.ts";
import type { Exchange } from "../../lib/http/exchange.ts";
import { recorder } from "./recorder.ts";
import { settings, startFront } from "./support.ts";
import { heardLog } from "../support/watched_log.ts";

function peeked(message: unknown) {
  return peek(new TextEncoder().encode(JSON.stringify(message)));
}

Deno.test("peek() reads method, tool and id of single messages and batches, and nothing of anything else", () => {
  const call = { jsonrpc: "2.0", id: "a b", method: "tools/call", params: { name: "ec\nho<>" } };
  assert.deepEqual(peeked(call), {
    method: "tools/call",
    id: '"a b"',
    tools: ["echo"],
    calls: 1,
    batch: false,
  });
  assert.deepEqual(peeked([call, { method: "ping", id: 2 }, { method: "tools/call" }]), {
    method: "tools/call,ping,tools/call",
    id: undefined,
    tools: ["echo"],
    calls: 2,
    batch: true,
  });
  for (const odd of [null, 7, "x", [], [1], { method: 5, id: {}, params: "x" }]) {
    assert.equal(peeked(odd).id, undefined);
    assert.equal(peeked(odd).method, undefined);
  }
  assert.equal(peek(new TextEncoder().encode("{not json")).method, undefined);
  assert.equal(peek(new TextEncoder().encode('{"id":12345678901234567890}')).id, undefined);
});

Deno.test("calls are counted by tool, under a cap, batches apart", () => {
  const counters = memoryCounters();
  const metrics = new ToolMetrics({ counters, maxTools: 2 });
  const done = (message: unknown, status = 200) =>
    metrics.done({ peek: peeked(message), requestBytes: 10, responseBytes: 20 } as Exchange, status);
  const call = (name?: string) => ({ id: 1, method: "tools/call", params: { name } });

  done(call("a"));
  done(call("b"), 502);
  done(call("c"));
  done(call());
  done({ id: 1, method: "tools/list" });
  done([call("a"), call(), { method: "ping" }]);

  const got = Object.fromEntries([...counters.entries()].map(({ name, labels, value }) => [
    `${name.replace("mcp_auth_rpc_", "")} ${Object.values(labels)}`,
    value,
  ]));
  assert.deepEqual(got, {
    "calls_total a": 2,
    "request_bytes_total a": 10,
    "response_bytes_total a": 20,
    "calls_total b": 1,
    "calls_failed_total b": 1,
    "request_bytes_total b": 10,
    "response_bytes_total b": 20,
    "calls_total _overflow": 1,
    "request_bytes_total _overflow": 10,
    "response_bytes_total _overflow": 20,
    "calls_total _unknown": 2,
    "request_bytes_total _unknown": 10,
    "response_bytes_total _unknown": 20,
    "batches_total ": 1,
    "batch_bytes_total request": 10,
    "batch_bytes_total response": 20,
  });
});

function noting(onLine: () => void = () => {}) {
  const lines: Fields[] = [];
  const log = heardLog({
    info: (event, fields) => {
      if (event !== "request") return;
      lines.push(fields ?? {});
      onLine();
    },
  });
  return { lines, log };
}

Deno.test("every request has one line, refused ones too, without its token or its query", async () => {
  const { lines, log } = noting();
  const { upstream } = recorder();
  await using front = await startFront({ upstream, log });
  const ask = async (path: string, init: RequestInit) => {
    const response = await fetch(front.origin + path, init);
    await response.body?.cancel();
  };
  const body = '{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"echo"}}';

  await ask("/mcp?secret=1", { method: "POST", body, headers: { authorization: "Bearer alice" } });
  await ask("/mcp", { method: "POST", body, headers: { authorization: "Bearer mallory" } });
  await ask("/nothing", {});

  const [good, refused, lost] = lines;
  assert.equal(lines.length, 3);
  assert.equal(good?.path, "/mcp");
  assert.deepEqual([good?.status, good?.subject, good?.email, good?.client], [
    200,
    "alice",
    "alice@example.com",
    "client-of-alice",
  ]);
  assert.deepEqual([good?.rpcMethod, good?.rpcTool, good?.rpcId], ["tools/call", "echo", "4"]);
  assert.deepEqual([good?.requestBytes, good?.responseBytes], [body.length, 36]);
  assert.deepEqual([refused?.status, refused?.reason, refused?.subject], [401, "invalid_token", undefined]);
  assert.deepEqual([lost?.status, lost?.reason], [404, "no_such_path"]);
  assert.ok(!JSON.stringify(lines).includes("secret") && !JSON.stringify(lines).includes("mallory"));
});

Deno.test("a client that leaves in the middle of an answer makes one line, which says so", async () => {
  for (const type of ["text/event-stream", "application/octet-stream"]) {
    const done = Promise.withResolvers<void>();
    const { lines, log } = noting(() => done.resolve());
    await using front = await startFront({
      log,
      upstream: () => {
        const piece = new TextEncoder().encode("data: 1\n\n");
        const body = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(piece) });
        return new Response(body, { headers: { "content-type": type } });
      },
    });

    const response = await fetch(front.url, { headers: { authorization: "Bearer alice" } });
    const reader = response.body?.getReader();
    assert.equal((await reader?.read())?.value?.length, 9);
    await reader?.cancel();
    await done.promise;
    await new Promise((resolve) => setTimeout(resolve, 50));

    assert.deepEqual(lines.map(({ reason, responseBytes }) => [reason, responseBytes]), [["client_gone", 9]]);
  }
});

Deno.test("a stream's line comes at its end", async () => {
  const { lines, log } = noting();
  await using front = await startFront({
    log,
    upstream: () => new Response("data: 1\n\n", { headers: { "content-type": "text/event-stream" } }),
  });

  const response = await fetch(front.url, { headers: { authorization: "Bearer alice" } });
  await response.text();

  assert.equal(lines.length, 1);
  assert.deepEqual([lines[0]?.method, lines[0]?.status, lines[0]?.responseBytes], ["GET", 200, 9]);
});

Deno.test("paths can be left out", async () => {
  const { lines, log } = noting();
  const { upstream } = recorder();
  const accessLog = { ...settings.accessLog, skip: /^\/healthz$/ };
  await using front = await startFront({ upstream, log, settings: { accessLog } });

  await (await fetch(`${front.origin}/healthz`)).body?.cancel();
  await (await fetch(front.url, { method: "POST", body: "{}", headers: { authorization: "Bearer alice" } }))
    .body?.cancel();

  assert.equal(lines.length, 1);
  assert.equal(lines[0]?.route, "mcp");
});

Deno.test("a line says what the upstream answered, which trace it belongs to, and of a refusal who asked from where", async () => {
  const { lines, log } = noting();
  await using front = await startFront({
    upstream: (request) => new Response("no", { status: request.headers.has("x-busy") ? 503 : 200 }),
    log,
  });
  const trace = "0af7651916cd43dd8448eb211c80319c";
  const ask = async (headers: Record<string, string>) => {
    const response = await fetch(front.url, { method: "POST", body: "{}", headers });
    await response.body?.cancel();
    return response.headers.get("x-request-id");
  };

  await ask({ authorization: "Bearer alice", traceparent: `00-${trace}-b7ad6b7169203331-01` });
  const id = await ask({ authorization: "Bearer alice", "x-busy": "1", traceparent: "not one" });
  await ask({ "user-agent": "Claude-User", origin: "https://claude.ai" });

  const [good, busy, refused] = lines;
  assert.deepEqual([good?.upstreamStatus, good?.trace, good?.userAgent], [200, trace, undefined]);
  assert.deepEqual([busy?.status, busy?.upstreamStatus, busy?.trace, busy?.requestId], [
    503,
    503,
    undefined,
    id,
  ]);
  assert.deepEqual([refused?.upstreamStatus, refused?.requestBytes, refused?.responseBytes], [
    undefined,
    2,
    74,
  ]);
  assert.deepEqual([refused?.userAgent, refused?.origin], ["Claude-User", "https://claude.ai"]);
});

Deno.test("a trace is passed on to the upstream as it came", async () => {
  const { upstream, seen } = recorder();
  await using front = await startFront({ upstream });
  const sent = {
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    tracestate: "vendor=1",
    baggage: "a=b",
  };

  const response = await fetch(front.url, {
    method: "POST",
    body: "{}",
    headers: { authorization: "Bearer alice", ...sent },
  });
  await response.body?.cancel();

  for (const [name, value] of Object.entries(sent)) assert.equal(seen[0]?.headers.get(name), value, name);
});
