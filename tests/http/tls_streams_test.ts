/** The same surface behind the runtime's server, which serves TLS. */
import assert from "node:assert/strict";
import { readTls } from "../../lib/http/tls.ts";
import { startHandler } from "../fakes/raw_upstream.ts";
import { tlsFiles } from "../support/tls.ts";
import { startFront } from "./support.ts";

const tls = await readTls({ certFile: tlsFiles.serverCert, keyFile: tlsFiles.serverKey });
const authorization = "Bearer alice";
const body = '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"slow"}}';

async function start(upstream: URL | ((request: Request) => Response | Promise<Response>)) {
  const front = await startFront({ upstream, tls });
  const client = Deno.createHttpClient({ caCerts: [await Deno.readTextFile(tlsFiles.ca)] });
  return {
    ask: (init: RequestInit) =>
      fetch(`https://localhost:${front.port}/mcp`, { client, ...init, headers: { authorization } }),
    async [Symbol.asyncDispose]() {
      client.close();
      await front[Symbol.asyncDispose]();
    },
  };
}

Deno.test("over TLS a call is answered, and its headers are those of a plain one", async () => {
  await using front = await start(() => Response.json({ jsonrpc: "2.0", id: 7, result: {} }));

  const answer = await front.ask({ method: "POST", body });

  assert.deepEqual(await answer.json(), { jsonrpc: "2.0", id: 7, result: {} });
  const { headers } = answer;
  assert.deepEqual(
    ["content-type", "x-content-type-options", "cache-control", "connection"].map((name) =>
      headers.get(name)
    ),
    ["application/json", "nosniff", "no-store, no-transform", null],
  );
  assert.match(headers.get("x-request-id") ?? "", /^[0-9a-f]{8}-\d+$/);
});

Deno.test("over TLS events come as they are sent, on many streams of one connection", async () => {
  const senders: ((text: string) => void)[] = [];
  await using front = await start(() => {
    const events = new ReadableStream<Uint8Array>({
      start: (controller) => {
        senders.push((text) => controller.enqueue(new TextEncoder().encode(text)));
      },
    });
    return new Response(events, { headers: { "content-type": "text/event-stream" } });
  });

  const streams = [];
  for (let at = 0; at < 20; at++) {
    const answer = front.ask({});
    while (senders.length <= at) await new Promise((resolve) => setTimeout(resolve, 1));
    senders[at]?.(`data: ${at}\n\n`);
    streams.push((await answer).body?.pipeThrough(new TextDecoderStream()).getReader());
  }
  for (const [at, stream] of streams.entries()) {
    assert.equal((await stream?.read())?.value, `data: ${at}\n\n`);
    senders[at]?.("data: more\n\n");
    assert.equal((await stream?.read())?.value, "data: more\n\n");
  }
  for (const stream of streams) await stream?.cancel();
});

Deno.test("over TLS a client that leaves, before the answer or within it, ends the upstream's request within a second", async () => {
  for (const first of ["", "data: 1\n\n"]) {
    const arrived = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    const never = Promise.withResolvers<Response>();
    await using behind = startHandler((request) => {
      request.signal.addEventListener("abort", () => gone.resolve());
      arrived.resolve();
      if (first === "") return never.promise;
      const events = new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(new TextEncoder().encode(first)),
        cancel: () => gone.resolve(),
      });
      return new Response(events, { headers: { "content-type": "text/event-stream" } });
    });
    await using front = await start(new URL(behind.url));
    const leaving = new AbortController();
    const answer = front.ask({ method: "POST", body, signal: leaving.signal });
    await arrived.promise;
    if (first !== "") await (await answer).body?.getReader().read();

    const left = performance.now();
    leaving.abort();
    await answer.catch(() => {});
    await gone.promise;

    assert.ok(performance.now() - left < 1_000);
    never.resolve(new Response(null));
  }
});

Deno.test("over TLS a large request and a large answer pass whole", async () => {
  const large = new Uint8Array(3_000_000).map((_, at) => at * 31);
  await using front = await start(async (request) =>
    new Response(await request.bytes(), { headers: { "content-type": "application/octet-stream" } })
  );

  const answer = await front.ask({ method: "POST", body: large });

  assert.deepEqual(await answer.bytes(), large);
});
