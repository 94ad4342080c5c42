import assert from "node:assert/strict";
import { memoryCounters } from "../../lib/base/counters.ts";
import { UserError } from "../../lib/base/errors.ts";
import { silentLog } from "../../lib/base/log.ts";
import { adminHandler } from "../../lib/http/admin.ts";
import { listen } from "../../lib/http/serve.ts";
import { rawRequest } from "./raw_client.ts";
import { recorder } from "./recorder.ts";
import { startFront } from "./support.ts";
import { heardLog } from "../support/watched_log.ts";

const local = { hostname: "127.0.0.1", port: 0 };

Deno.test("a port in use is one line that says so and what to do", async () => {
  const first = listen(local, () => Promise.resolve(new Response()), silentLog);
  assert.throws(
    () => listen({ ...local, port: first.port }, () => Promise.resolve(new Response()), silentLog),
    (error: unknown) =>
      error instanceof UserError && error.exitCode === 1 && error.hint !== undefined &&
      error.message === `Cannot listen on 127.0.0.1:${first.port}: the port is in use`,
  );
  await first.drain({ deadlineMs: 1_000 });
});

Deno.test("drain closes the listener at once and lets a call in flight finish", async () => {
  const arrived = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<Response>();
  const server = listen(local, () => (arrived.resolve(), answer.promise), silentLog);
  const url = `http://127.0.0.1:${server.port}/`;
  const running = fetch(url);
  await arrived.promise;

  const drained = server.drain({ deadlineMs: 5_000 });
  await assert.rejects(Deno.connect({ hostname: "127.0.0.1", port: server.port }));
  answer.resolve(new Response("done"));

  assert.equal(await (await running).text(), "done");
  assert.equal(await drained, false);
});

Deno.test("drain stops waiting at the deadline and says that something is left", async () => {
  const arrived = Promise.withResolvers<void>();
  const late = Promise.withResolvers<Response>();
  const server = listen(local, () => (arrived.resolve(), late.promise), silentLog);
  const running = fetch(`http://127.0.0.1:${server.port}/`);
  await arrived.promise;

  assert.equal(await server.drain({ deadlineMs: 100 }), true);
  late.resolve(new Response("late"));
  assert.equal(await (await running).text(), "late");
});

Deno.test("drain waits for nobody who does not send the rest of a request, answered or not", async () => {
  const { upstream } = recorder();
  const front = await startFront({ upstream });
  const half = [
    rawRequest("POST /mcp HTTP/1.1", ["Content-Length: 50"]) + "{",
    "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nConte",
  ];
  const connections = await Promise.all(half.map(async (text) => {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port: front.port });
    await connection.write(new TextEncoder().encode(text));
    return connection;
  }));
  assert.match(await firstBytes(connections[0]), /^HTTP\/1.1 401 /);

  const left = await front.server.drain({ deadlineMs: 60_000, inFlight: front.front.inFlight });

  assert.equal(left, false);
  for (const connection of connections) connection.close();
  await front[Symbol.asyncDispose]();
});

Deno.test("drain ends standing streams at once, also one that comes late, and waits for the answer to a call", async () => {
  const call = Promise.withResolvers<void>();
  const front = await startFront({
    upstream: (request) =>
      new Response(
        new ReadableStream({
          async start(controller) {
            controller.enqueue(new TextEncoder().encode("data: 1\n\n"));
            if (request.method === "GET") return;
            await call.promise;
            controller.enqueue(new TextEncoder().encode("data: 2\n\n"));
            controller.close();
          },
        }),
        { headers: { "content-type": "text/event-stream" } },
      ),
  });
  const headers = { authorization: "Bearer alice" };
  const standing = await fetch(front.url, { headers });
  const calling = await fetch(front.url, { method: "POST", headers, body: "{}" });

  const drained = front.server.drain({
    deadlineMs: 5_000,
    onClosed: () => front.front.streams.endStanding(),
  });
  assert.equal(await standing.text(), "data: 1\n\n");
  call.resolve();
  assert.equal(await calling.text(), "data: 1\n\ndata: 2\n\n");
  assert.equal(await drained, false);
  await front[Symbol.asyncDispose]();
});

Deno.test("a handler that throws is 500 without its text, and logged", async () => {
  const lines: string[] = [];
  const log = heardLog({ error: (event, fields) => lines.push(`${event} ${fields?.cause}`) });
  const server = listen(local, () => Promise.reject(new Error("inner text")), log);

  const response = await fetch(`http://127.0.0.1:${server.port}/`);

  assert.equal(response.status, 500);
  assert.equal(await response.text(), "");
  assert.deepEqual(lines, ["request_failed inner text"]);
  await server.drain({ deadlineMs: 1_000 });
});

Deno.test("the admin listener tells health, readiness and metrics", async () => {
  const counters = memoryCounters();
  counters.add("mcp_auth_tokens_issued_total", { grant_type: "authorization_code" }, 3);
  counters.add("mcp_doorman_requests_total", { route: "mcp", status: "200" });
  counters.times("mcp_doorman_request_seconds", { route: "mcp" }).observe(0.03);
  counters.times("mcp_doorman_request_seconds", { route: "mcp" }).observe(60);
  let code: 200 | 503 = 200;
  const handle = adminHandler({
    counters,
    gauges: [{ name: "mcp_doorman_streams_open", help: "Event streams", read: () => 7 }],
    ready: () => Promise.resolve({ code, body: { status: "word" } }),
  });
  const get = async (path: string) => {
    const response = await handle(new Request(`http://x${path}`));
    return [response.status, await response.text()] as const;
  };

  assert.deepEqual(await get("/healthz"), [200, '{"status":"ok"}']);
  assert.deepEqual(await get("/readyz"), [200, '{"status":"word"}']);
  const [, text] = await get("/metrics");
  assert.match(text, /^mcp_auth_tokens_issued_total\{grant_type="authorization_code"\} 3$/m);
  assert.match(text, /^mcp_doorman_requests_total\{route="mcp",status="200"\} 1$/m);
  assert.match(text, /^mcp_doorman_streams_open 7$/m);
  assert.match(text, /^# TYPE mcp_doorman_request_seconds histogram$/m);
  const buckets = [...text.matchAll(/^mcp_doorman_request_seconds_bucket\{route="mcp",le="(.*)"\} (\d)$/gm)]
    .map(([, bound, count]) => [bound, count]);
  assert.deepEqual(buckets.filter(([bound]) => ["0.025", "0.05", "10", "+Inf"].includes(bound ?? "")), [
    ["0.025", "0"],
    ["0.05", "1"],
    ["10", "1"],
    ["+Inf", "2"],
  ]);
  assert.match(text, /^mcp_doorman_request_seconds_sum\{route="mcp"\} 60\.03$/m);
  assert.match(text, /^mcp_doorman_request_seconds_count\{route="mcp"\} 2$/m);
  code = 503;
  assert.equal((await get("/readyz"))[0], 503);
  assert.equal((await get("/other"))[0], 404);
});

async function firstBytes(connection: Deno.Conn | undefined): Promise<string> {
  const buffer = new Uint8Array(1_024);
  const count = await connection?.read(buffer);
  return new TextDecoder().decode(buffer.subarray(0, count ?? 0));
}
