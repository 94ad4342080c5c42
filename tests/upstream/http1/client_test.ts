import assert from "node:assert/strict";
import { isStream, readerOf } from "../../../lib/base/byte_stream.ts";
import { Http1Client, type Http1Request, type Http1Response } from "../../../lib/upstream/http1/client.ts";
import { UpstreamError } from "../../../lib/upstream/upstream.ts";
import { startBytes, startHandler } from "../../fakes/raw_upstream.ts";

const text = new TextDecoder();
const bytes = (value: string) => new TextEncoder().encode(value);

function clientOf(port: number): Http1Client {
  return new Http1Client({ hostname: "127.0.0.1", port, host: `127.0.0.1:${port}`, timeoutMs: 2_000 });
}

const post = (body: string | null = "{}"): Http1Request => ({
  method: "POST",
  target: "/mcp",
  headers: [["content-type", "application/json"]],
  body: body === null ? null : bytes(body),
});

async function bodyText(response: Http1Response): Promise<string> {
  return await new Response(response.body).text();
}

/** Reads one request with a body of known length and gives it as text. */
async function readRequest(conn: Deno.TcpConn): Promise<string | undefined> {
  const buffer = new Uint8Array(65_536);
  let have = 0;
  for (;;) {
    const got = text.decode(buffer.subarray(0, have));
    const end = got.indexOf("\r\n\r\n");
    const length = Number(/content-length: (\d+)/.exec(got)?.[1] ?? 0);
    if (end >= 0 && have >= end + 4 + length) return got;
    const count = await conn.read(buffer.subarray(have));
    if (count === null) return undefined;
    have += count;
  }
}

function answering(answer: (request: string, conn: Deno.TcpConn) => Promise<void> | void) {
  return startBytes(async (conn) => {
    for (let got = await readRequest(conn); got !== undefined; got = await readRequest(conn)) {
      await answer(got, conn);
    }
  });
}

async function say(conn: Deno.TcpConn, what: string): Promise<void> {
  await conn.write(bytes(what));
}

/** What one answer, given as bytes, leads to. */
async function ask(answer: string, request = post()): Promise<string> {
  await using server = answering(async (_, conn) => {
    await say(conn, answer);
    conn.closeWrite();
  });
  using client = clientOf(server.port);
  const response = await client.send(request).response;
  return `${response.status} ${await bodyText(response)}`;
}

Deno.test("Http1Client.send() carries method, target, headers and body, and hands back status, headers and body", async () => {
  await using server = startHandler(async (request) => {
    const seen = [
      request.method,
      new URL(request.url).pathname,
      request.headers.get("x-user-sub"),
      await request.text(),
    ];
    return Response.json(seen, { status: 202, headers: { "x-answer": "yes" } });
  });
  using client = clientOf(server.port);

  const request: Http1Request = { ...post('{"id":1}'), headers: [["x-user-sub", "älice"]] };
  const response = await client.send(request).response;

  assert.equal(response.status, 202);
  assert.deepEqual(JSON.parse(await bodyText(response)), ["POST", "/mcp", "älice", '{"id":1}']);
  assert.equal(response.headers.find(([name]) => name === "x-answer")?.[1], "yes");
});

Deno.test("Http1Client.send() keeps a connection for the next request", async () => {
  await using server = answering((_, conn) => say(conn, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"));
  using client = clientOf(server.port);

  for (let turn = 0; turn < 5; turn++) await client.send(post()).response;

  assert.equal(server.connections, 1);
});

Deno.test("Http1Client.send() does not use a kept connection that the upstream has closed", async () => {
  await using server = answering(async (_, conn) => {
    await say(conn, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    conn.closeWrite();
  });
  using client = clientOf(server.port);

  for (let turn = 0; turn < 5; turn++) {
    assert.equal((await client.send(post()).response).status, 200);
    while (client.openConnections > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  assert.equal(server.connections, 5);
});

Deno.test("Http1Client.send() never takes bytes that came unasked for an answer", async () => {
  let turn = 0;
  await using server = answering(async (_, conn) => {
    const mine = `HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n${++turn}`;
    await say(conn, turn === 1 ? mine + "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil" : mine);
  });
  using client = clientOf(server.port);

  const first = await bodyText(await client.send(post()).response);
  const second = await bodyText(await client.send(post()).response);

  assert.deepEqual([first, second], ["1", "2"]);
  assert.equal(server.connections, 2);
});

Deno.test("Http1Client.send() sends a request once, also when its kept connection ends before the answer", async () => {
  let seen = 0;
  await using server = answering(async (_, conn) => {
    seen++;
    if (seen === 1) await say(conn, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    else throw new Error("closed");
  });
  using client = clientOf(server.port);
  await client.send(post()).response;

  await assert.rejects(client.send(post()).response, UpstreamError);

  assert.equal(seen, 2);
});

Deno.test("Http1Client.send() reads bodies of every framing", async () => {
  assert.equal(await ask("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"), "200 hello");
  assert.equal(
    await ask(
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nx: y\r\n\r\n",
    ),
    "200 hello",
  );
  assert.equal(await ask("HTTP/1.1 200 OK\r\n\r\nhello until the end"), "200 hello until the end");
  assert.equal(await ask("HTTP/1.0 200 OK\r\n\r\nold"), "200 old");
  assert.equal(await ask("HTTP/1.1 204 No Content\r\n\r\n"), "204 ");
  assert.equal(
    await ask("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx"),
    "200 x",
  );
});

Deno.test("Http1Client.send() refuses what is not one clear HTTP/1.1 answer", async () => {
  for (
    const answer of [
      "<html>hello</html>\r\n\r\n",
      "HTTP/2 200 OK\r\n\r\n",
      "HTTP/1.1 99 OK\r\n\r\n",
      "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
      "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\ncontent-length: +5\r\n\r\nhello",
      "HTTP/1.1 200 OK\r\ncontent-length : 5\r\n\r\nhello",
      "HTTP/1.1 200 OK\r\nx: a\r\n folded\r\ncontent-length: 5\r\n\r\nhello",
      "HTTP/1.1 200 OK\r\nx: a\rb\r\ncontent-length: 5\r\n\r\nhello",
      "HTTP/1.1 101 Switching Protocols\r\n\r\n",
      "HTTP/1.1 200 OK\r\ncontent-len",
      "",
      "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel",
      `HTTP/1.1 200 OK\r\nx: ${"a".repeat(70_000)}\r\n\r\n`,
    ]
  ) await assert.rejects(ask(answer), (error) => error instanceof UpstreamError, answer.slice(0, 80));
});

Deno.test("Http1Client.send() refuses a request whose header would be two", async () => {
  await using server = answering((_, conn) => say(conn, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
  using client = clientOf(server.port);

  for (const value of ["a\r\nx-admin: 1", "a\nb", "a\rb", "a\0b"]) {
    const request: Http1Request = { ...post(), headers: [["x", value]] };
    await assert.rejects(client.send(request).response, UpstreamError, JSON.stringify(value));
  }
  await assert.rejects(client.send({ ...post(), target: "/a HTTP/1.1\r\nx: y" }).response, UpstreamError);
  await assert.rejects(client.send({ ...post(), target: "/a b" }).response, UpstreamError);
});

Deno.test("Http1Client.send() hands an event stream on as it comes, and a cancelled one ends the connection", async () => {
  const left = Promise.withResolvers<void>();
  await using server = startBytes(async (conn) => {
    await readRequest(conn);
    await say(
      conn,
      "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n",
    );
    await say(conn, "9\r\ndata: 1\n\n\r\n");
    if (await conn.read(new Uint8Array(1)) === null) left.resolve();
  });
  using client = clientOf(server.port);

  const response = await client.send(post()).response;
  assert.ok(isStream(response.body));
  const reader = readerOf(response.body);
  assert.equal(text.decode(await reader.read()), "data: 1\n\n");
  await reader.cancel();

  await left.promise;
  assert.equal(client.openConnections, 0);
});

Deno.test("Sending.cancel() ends the request while its answer has not begun", async () => {
  const left = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  await using server = startBytes(async (conn) => {
    await readRequest(conn);
    asked.resolve();
    if (await conn.read(new Uint8Array(1)) === null) left.resolve();
  });
  using client = clientOf(server.port);

  const sending = client.send(post());
  await asked.promise;
  const gone = new UpstreamError("client_gone", "the client left");
  sending.cancel(gone);

  await assert.rejects(sending.response, (error) => error === gone);
  await left.promise;
});

Deno.test("Http1Client.send() streams a body of known length, and one of unknown length in chunks", async () => {
  await using server = startHandler(async (request) =>
    Response.json([request.headers.get("content-length"), (await request.text()).length])
  );
  using client = clientOf(server.port);
  const stream = () => ReadableStream.from([bytes("a".repeat(70_000)), bytes(""), bytes("b".repeat(30_000))]);

  const known = await client.send({ ...post(), body: stream(), bodyLength: 100_000 }).response;
  const unknown = await client.send({ ...post(), body: stream() }).response;
  const large = await client.send({ ...post(), body: bytes("c".repeat(200_000)) }).response;

  assert.deepEqual(JSON.parse(await bodyText(known)), ["100000", 100_000]);
  assert.deepEqual(JSON.parse(await bodyText(unknown)), [null, 100_000]);
  assert.deepEqual(JSON.parse(await bodyText(large)), ["200000", 200_000]);
});

Deno.test("Http1Client.send() fails when a body is not as long as announced", async () => {
  await using server = startHandler(async (request) => new Response(await request.text()));
  using client = clientOf(server.port);

  for (const bodyLength of [5, 50]) {
    const request: Http1Request = { ...post(), body: ReadableStream.from([bytes("0123456789")]), bodyLength };
    await assert.rejects(client.send(request).response, UpstreamError, String(bodyLength));
  }
});

Deno.test("Http1Client.send() gives an early answer although the upstream stopped reading the request", async () => {
  await using server = startBytes(async (conn) => {
    await conn.read(new Uint8Array(1_024));
    await say(conn, "HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\n\r\nbig");
    conn.closeWrite();
    const sink = new Uint8Array(65_536);
    while (await conn.read(sink) !== null);
  });
  using client = clientOf(server.port);
  let pieces = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (++pieces > 400) controller.close();
      else controller.enqueue(new Uint8Array(65_536));
    },
  });

  const response = await client.send({ ...post(), body }).response;

  assert.equal(`${response.status} ${await bodyText(response)}`, "413 big");
});

Deno.test("Http1Client.send() names an upstream that cannot be reached", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  using client = clientOf(port);

  await assert.rejects(
    client.send(post()).response,
    (error) => error instanceof UpstreamError && error.failure === "unreachable",
  );
});

Deno.test("Http1Client keeps 200 parallel requests apart", async () => {
  await using server = startHandler(async (request) => new Response(await request.text()));
  using client = clientOf(server.port);

  for (let round = 0; round < 3; round++) {
    const sent = Array.from({ length: 200 }, (_, at) => `${round}:${at}`);
    const got = await Promise.all(
      sent.map(async (body) => await bodyText(await client.send(post(body)).response)),
    );
    assert.deepEqual(got, sent);
  }
});
