import assert from "node:assert/strict";
import { answersIn, ask, RawConnection, serveHere } from "./raw_connection.ts";

Deno.test("requests that come at once are answered in their order, each with its own body", async () => {
  await using here = serveHere(async (request) => {
    const body = new TextDecoder().decode(await request.bytes());
    // The first ones take longest.
    await new Promise((resolve) => setTimeout(resolve, body.length));
    return new Response(`${request.url} ${body}`);
  });
  const requests = Array.from({ length: 20 }, (_, at) => {
    const body = `${at}`.repeat(20 - at);
    const head = `POST /${at} HTTP/1.1\r\nHost: x\r\n${at === 19 ? "Connection: close\r\n" : ""}`;
    return {
      text: at % 2 === 0
        ? `${head}Content-Length: ${body.length}\r\n\r\n${body}`
        : `${head}Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
      answer: `http://x/${at} ${body}`,
    };
  });

  const answers = answersIn(await ask(here.port, requests.map(({ text }) => text).join("")));

  assert.deepEqual(answers.map(({ body }) => body), requests.map(({ answer }) => answer));
});

Deno.test("a body at hand stays as it came while the next requests arrive", async () => {
  const first = Promise.withResolvers<void>();
  const reading = Promise.withResolvers<void>();
  const seen: string[] = [];
  await using here = serveHere(async (request) => {
    const body = request.atHand?.() ?? new Uint8Array();
    // Reading ahead begins.
    const { signal } = request;
    reading.resolve();
    if (request.url.endsWith("/first")) await first.promise;
    seen.push(new TextDecoder().decode(body));
    assert.equal(signal.aborted, false);
    return new Response("");
  });
  const post = (path: string, body: string, more = "") =>
    `POST ${path} HTTP/1.1\r\nHost: x\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`;

  using connection = await RawConnection.open(here.port);
  await connection.send(post("/first", "a".repeat(3_000)));
  await reading.promise;
  for (let at = 0; at < 12; at++) {
    await connection.send(post("/next", "b".repeat(1_000)));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await connection.send(post("/last", "c", "Connection: close\r\n"));
  first.resolve();
  const answers = answersIn(await connection.toEnd());

  assert.equal(answers.length, 14);
  assert.deepEqual(seen, ["a".repeat(3_000), ...Array(12).fill("b".repeat(1_000)), "c"]);
});

Deno.test("who does not read answers is asked no more, and gets all of them later", async () => {
  let served = 0;
  await using here = serveHere(() => {
    served++;
    return Promise.resolve(new Response("x".repeat(100_000)));
  });
  using connection = await RawConnection.open(here.port);
  const many = 160;
  const get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

  await connection.send(get.repeat(many));
  for (let before = -1; before < served;) {
    before = served;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.ok(served > 0 && served < many, `${served} served`);

  await connection.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const answers = answersIn(await connection.toEnd());
  assert.equal(answers.length, many + 1);
  assert.ok(answers.every(({ body }) => body.length === 100_000));
});
