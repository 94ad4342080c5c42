/** Where an answer ends, on the wire. */
import assert from "node:assert/strict";
import { Reply } from "../../../lib/http/reply.ts";
import { answersIn, ask, bytesOf, RawConnection, say, serveHere } from "./raw_connection.ts";

const stream = (...pieces: string[]) => ReadableStream.from(pieces.map(bytesOf));

function answering() {
  return serveHere((request) => {
    const path = new URL(request.url).pathname;
    if (path === "/stream") return Promise.resolve(new Reply(200, [], stream("one", "", "two")));
    if (path === "/none") return Promise.resolve(new Reply(204, [], stream("not for you")));
    if (path === "/large") return Promise.resolve(say("x".repeat(200_000)));
    if (path === "/sized") {
      return Promise.resolve(new Reply(200, [["content-length", "6"]], stream("one", "two")));
    }
    if (path === "/short") {
      return Promise.resolve(new Reply(200, [["content-length", "7"]], stream("one", "two")));
    }
    if (path === "/long") {
      return Promise.resolve(new Reply(200, [["content-length", "5"]], stream("one", "two")));
    }
    return Promise.resolve(say("whole"));
  });
}

Deno.test("answers of all kinds follow each other on one connection", async () => {
  await using here = answering();
  const get = (path: string, method = "GET") => `${method} ${path} HTTP/1.1\r\nHost: h\r\n\r\n`;

  const got = await ask(
    here.port,
    get("/") + get("/stream") + get("/none") + get("/sized") + get("/large") +
      "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
  );

  const answers = answersIn(got);
  assert.deepEqual(answers.map(({ status }) => status), [200, 200, 204, 200, 200, 200]);
  assert.deepEqual(answers.map(({ body }) => body), [
    "whole",
    "onetwo",
    "",
    "onetwo",
    "x".repeat(200_000),
    "whole",
  ]);
});

Deno.test("HEAD is answered with a head and nothing else, whatever the body", async () => {
  await using here = answering();

  for (const path of ["/", "/stream", "/sized", "/large", "/none"]) {
    using connection = await RawConnection.open(here.port);
    await connection.send(`HEAD ${path} HTTP/1.1\r\nHost: h\r\n\r\n`);
    await connection.until(/\r\n\r\n/);
    await connection.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    const [head = "", ...rest] = (await connection.toEnd()).split(/(?<=\r\n\r\n)/);
    assert.match(head, /^HTTP\/1\.1 20[04] /);
    assert.deepEqual(answersIn(rest.join("")).map(({ body }) => body), ["whole"], path);
  }
});

Deno.test("HTTP/1.0 gets no chunks and one answer, which the connection's end ends", async () => {
  await using here = answering();

  for (const [path, body] of [["/stream", "onetwo"], ["/", "whole"]] as const) {
    const got = await ask(here.port, `GET ${path} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n`.repeat(2));
    const [head = "", ...rest] = got.split(/(?<=\r\n\r\n)/);
    assert.match(head, /\r\nconnection: close\r\n/);
    assert.doesNotMatch(head, /transfer-encoding/);
    assert.deepEqual(rest, [body]);
  }
});

Deno.test("a body that is not as long as was said is cut, and nothing follows it", async () => {
  await using here = answering();
  const next = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

  for (const [path, got] of [["/short", /\r\n\r\nonetwo$/], ["/long", /\r\n\r\none$/]] as const) {
    using connection = await RawConnection.open(here.port);
    await connection.send(`GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n${next}`);
    await connection.toEnd().catch(() => {});
    assert.match(connection.got, got);
  }
});
