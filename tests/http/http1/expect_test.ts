/** `Expect: 100-continue` (RFC 9110 section 10.1.1). */
import assert from "node:assert/strict";
import { startFront } from "../support.ts";
import { answersIn, ask, RawConnection, say, serveHere } from "./raw_connection.ts";

const head = (length: string, more = "") =>
  `POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 100-continue\r\n${more}${length}\r\n\r\n`;

for (const length of ["Content-Length: 5", "Transfer-Encoding: chunked", "Content-Length: 100000"]) {
  Deno.test(`who asks whether to send a body is told so when the body is read, and once (${length})`, async () => {
    const read = Promise.withResolvers<void>();
    await using here = serveHere(async (request) => {
      const { body } = request;
      await read.promise;
      let size = 0;
      for await (const piece of body ?? []) size += piece.length;
      return say(`${size}`);
    });
    using connection = await RawConnection.open(here.port);

    await connection.send(head(length));
    await new Promise((resolve) => setTimeout(resolve, 50));
    read.resolve();
    await connection.until(/./);
    assert.equal(connection.got, "HTTP/1.1 100 Continue\r\n\r\n");
    connection.got = "";
    const size = length.endsWith("100000") ? 100_000 : 5;
    await connection.send(length.endsWith("chunked") ? "5\r\nhello\r\n0\r\n\r\n" : "x".repeat(size));
    await connection.until(/\d$/);

    const [answer] = answersIn(connection.got);
    assert.deepEqual([answer?.status, answer?.body], [200, `${size}`]);
    assert.doesNotMatch(answer?.head ?? "", /connection: close/);
  });
}

Deno.test("who does not ask is not told", async () => {
  await using here = serveHere(async (request) => say(new TextDecoder().decode(await request.bytes())));
  using connection = await RawConnection.open(here.port);

  await connection.send("POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 5\r\n\r\n");
  await new Promise((resolve) => setTimeout(resolve, 50));
  await connection.send("hello");

  assert.deepEqual(answersIn(await connection.toEnd()).map(({ body }) => body), ["hello"]);
});

Deno.test("a body that came without waiting is read, and nothing is said about it", async () => {
  await using here = serveHere((request) =>
    Promise.resolve(say(new TextDecoder().decode(request.atHand?.())))
  );

  const got = await ask(here.port, `${head("Content-Length: 5", "Connection: close\r\n")}hello`);

  assert.deepEqual(answersIn(got).map(({ body }) => body), ["hello"]);
});

Deno.test("who may not call is refused without having sent a body, and the connection ends", async () => {
  await using front = await startFront({ upstream: () => new Response() });

  const got = await ask(front.port, head("Content-Length: 5"));

  assert.deepEqual(answersIn(got).map(({ status }) => status), [401]);
  assert.match(got, /\r\nconnection: close\r\n/);
});

Deno.test("nothing is said in the middle of an answer, even when the body is asked for by then", async () => {
  await using here = serveHere((request) => {
    const body = request.body?.getReader();
    let pieces = 0;
    return Promise.resolve(
      new Response(
        new ReadableStream({
          pull(controller) {
            if (++pieces === 2) body?.read().catch(() => {});
            if (pieces < 4) controller.enqueue(new TextEncoder().encode("piece"));
            else controller.close();
          },
        }),
      ),
    );
  });

  const answers = answersIn(await ask(here.port, head("Content-Length: 5")));

  assert.deepEqual(answers.map(({ status, body }) => [status, body]), [[200, "piecepiecepiece"]]);
});
