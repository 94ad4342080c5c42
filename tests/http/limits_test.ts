/** Limits on what a client may send, and the answers beyond them. */
import assert from "node:assert/strict";
import { startBytes, startHandler } from "../fakes/raw_upstream.ts";
import { recorder } from "./recorder.ts";
import { rawRequest, sendRaw } from "./raw_client.ts";
import { settings, startFront } from "./support.ts";

const bearer = { authorization: "Bearer alice" };

async function post(url: string, body = "{}") {
  const response = await fetch(url, { method: "POST", headers: bearer, body });
  return { status: response.status, text: await response.text() };
}

function limits(more: Partial<typeof settings.limits>) {
  return { limits: { ...settings.limits, ...more } };
}

Deno.test("a body over the limit is 413 as a JSON-RPC error, declared or not, and nothing of it is answered", async () => {
  const { seen, upstream } = recorder();
  await using front = await startFront({ upstream, settings: limits({ maxBodyBytes: 100_000 }) });
  const big = "x".repeat(100_001);

  const declared = await post(front.url, big);
  const streamed = await fetch(front.url, {
    method: "POST",
    headers: bearer,
    body: new ReadableStream({
      start(controller) {
        for (let at = 0; at < 3; at++) controller.enqueue(new TextEncoder().encode("x".repeat(50_000)));
        controller.close();
      },
    }),
  });
  const streamedText = await streamed.text();

  // One that is announced is refused before any of it has come.
  const head = rawRequest("POST /mcp HTTP/1.1", ["Authorization: Bearer alice", "Content-Length: 100001"]);
  const announced = await sendRaw(front.port, head);
  assert.equal(announced.status, 413);

  for (const [status, text] of [[declared.status, declared.text], [streamed.status, streamedText]] as const) {
    assert.equal(status, 413);
    assert.equal(
      text,
      '{"jsonrpc":"2.0","id":null,"error":{"code":-31002,"message":"The request is too large"}}',
    );
  }
  assert.equal(seen.length, 0);
  assert.equal((await post(front.url, "x".repeat(100_000))).status, 200);
  assert.equal(seen[0]?.body.length, 100_000);
});

const tooSlow = '{"jsonrpc":"2.0","id":null,"error":{"code":-31003,"message":"The request came too slowly"}}';

Deno.test("a body that does not come, or trickles in, is given up after the limit, and the upstream's request with it", async () => {
  const cut: string[] = [];
  await using behind = startHandler(async (request) => {
    await request.text().catch(() => cut.push(request.headers.get("x-case") ?? ""));
    return Response.json({});
  });
  await using front = await startFront({
    upstream: new URL(behind.url),
    settings: limits({ bodyReadTimeoutMs: 1_500 }),
  });
  const cases: [name: string, length: string, pieces: string, trickles: boolean][] = [
    ["small", "Content-Length: 50", "{", false],
    ["small trickle", "Content-Length: 50000", "x", true],
    ["large", "Content-Length: 500000", "{", false],
    ["large trickle", "Content-Length: 500000", "x", true],
    ["unknown length", "Transfer-Encoding: chunked", "1\r\n{\r\n", false],
    ["unknown length trickle", "Transfer-Encoding: chunked", "1\r\nx\r\n", true],
  ];

  const answers = await Promise.all(cases.map(async ([name, length, piece, trickles]) => {
    const head = rawRequest("POST /mcp HTTP/1.1", ["Authorization: Bearer alice", `X-Case: ${name}`, length]);
    return await sendRaw(front.port, head + piece, {
      patienceMs: 9_000,
      trickle: trickles ? piece : undefined,
    });
  }));

  for (const [at, answer] of answers.entries()) {
    assert.equal(answer.status, 408, cases[at]?.[0]);
    assert.equal(answer.text.split("\r\n\r\n")[1], tooSlow);
  }
  // Small bodies are read before the upstream is asked.
  assert.deepEqual(cut.toSorted(), ["large", "large trickle", "unknown length", "unknown length trickle"]);
  assert.equal((await post(front.url, "{}")).status, 200);
});

Deno.test("the time that the upstream takes to read a body is not the client's", async () => {
  let size = 0;
  await using front = await startFront({
    settings: limits({ bodyReadTimeoutMs: 2_500 }),
    upstream: async (request) => {
      for await (const piece of request.body ?? []) {
        if (size === 0) await new Promise((resolve) => setTimeout(resolve, 3_000));
        size += piece.byteLength;
      }
      return Response.json({});
    },
  });
  const piece = new Uint8Array(100_000);
  let left = 60;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      // The client's own pause, after the upstream's.
      if (--left === 0) await new Promise((resolve) => setTimeout(resolve, 1_500));
      controller.enqueue(piece);
      if (left === 0) controller.close();
    },
  });

  const answer = await fetch(front.url, { method: "POST", headers: bearer, body });

  assert.equal(answer.status, 200);
  await answer.body?.cancel();
  assert.equal(size, 6_000_000);
});

Deno.test("headers over the limit are 431 before anything else is looked at", async () => {
  const { seen, upstream } = recorder();
  await using front = await startFront({ upstream });
  const ask = (size: number) =>
    sendRaw(
      front.port,
      rawRequest("POST /mcp HTTP/1.1", ["Authorization: Bearer alice", `X-Large: ${"x".repeat(size)}`], "{}"),
    );

  const answer = await ask(33_000);

  assert.equal(answer.status, 431);
  assert.equal(
    answer.text.split("\r\n\r\n")[1],
    '{"jsonrpc":"2.0","id":null,"error":{"code":-31002,"message":"The request\'s headers are too large"}}',
  );
  assert.deepEqual([front.inbound.authentications, seen.length], [0, 0]);
  assert.equal((await ask(30_000)).status, 200);
  // Beyond its own limit the runtime answers by itself.
  assert.ok([400, 431].includes((await ask(500_000)).status));
});

Deno.test("an upstream that answers before the body is there, and a client that leaves within it, harm nobody", async () => {
  await using behind = startBytes(async (connection) => {
    await connection.read(new Uint8Array(65_536));
    await connection.write(
      new TextEncoder().encode(
        "HTTP/1.1 409 Conflict\r\nContent-Length: 5\r\nConnection: close\r\n\r\nearly",
      ),
    );
  });
  await using front = await startFront({
    upstream: new URL(behind.url),
    settings: limits({ bodyReadTimeoutMs: 900 }),
  });

  for (const framing of ["Content-Length: 500000", "Transfer-Encoding: chunked"]) {
    const head = rawRequest("POST /mcp HTTP/1.1", ["Authorization: Bearer alice", framing]);
    const answer = await sendRaw(front.port, `${head}1\r\n{`);
    assert.match(answer.text, /^HTTP\/1\.1 409 .*early$/s, framing);
  }

  const leaving = await Deno.connect({ hostname: "127.0.0.1", port: front.port });
  const head = rawRequest("POST /mcp HTTP/1.1", ["Authorization: Bearer alice", "Content-Length: 500000"]);
  await leaving.write(new TextEncoder().encode(`${head}half`));
  leaving.close();
  assert.equal((await post(front.url)).status, 409);
});

Deno.test("a large body passes whole, whether its length is declared or not", async () => {
  let size = 0;
  await using front = await startFront({
    upstream: async (request) => {
      size = 0;
      for await (const piece of request.body ?? []) size += piece.byteLength;
      return Response.json({});
    },
  });

  assert.equal((await post(front.url, "x".repeat(3_000_000))).status, 200);
  assert.equal(size, 3_000_000);
  const streamed = await fetch(front.url, {
    method: "POST",
    headers: bearer,
    body: new Blob(["y".repeat(300_000)]).stream(),
  });
  await streamed.body?.cancel();
  assert.equal(size, 300_000);
});
