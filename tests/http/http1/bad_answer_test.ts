import assert from "node:assert/strict";
import { Reply } from "../../../lib/http/reply.ts";
import { heardLog } from "../../support/watched_log.ts";
import { answersIn, ask, bytesOf, serveHere } from "./raw_connection.ts";

Deno.test("an answer with a line break in a header is 500 and a line in the log; its body is let go, and others are served", async () => {
  const lines: string[] = [];
  let cancelled = 0;
  const body = (kind: string | undefined) =>
    kind === "stream"
      ? new ReadableStream<Uint8Array>({ cancel: () => void cancelled++ })
      : kind === "whole"
      ? bytesOf("secret")
      : null;
  await using here = serveHere((request) => {
    const [, kind, bad] = new URL(request.url).pathname.split("/");
    const value = bad === "good" ? "a" : bad === "wide" ? "\u{1f600}" : "a\r\nset-cookie: b";
    return Promise.resolve(new Reply(200, [["x-a", value]], body(kind)));
  }, { log: heardLog({ error: (event, fields) => lines.push(`${event} ${fields?.cause}`) }) });
  const paths = [
    "/none/split",
    "/whole/split",
    "/stream/split",
    "/whole/wide",
    "/stream/wide",
    "/whole/good",
  ];

  const got = await ask(
    here.port,
    paths.map((path) =>
      `GET ${path} HTTP/1.1\r\nHost: h\r\n${path.endsWith("good") ? "Connection: close\r\n" : ""}\r\n`
    ).join(""),
  );

  const answers = answersIn(got);
  assert.deepEqual(answers.map(({ status, body }) => [status, body]), [
    ...Array(5).fill([500, ""]),
    [200, "secret"],
  ]);
  assert.equal(got.includes("set-cookie"), false);
  assert.equal(cancelled, 2);
  assert.deepEqual(lines, [
    ...Array(3).fill("answer_unwritable a header with a line break"),
    ...Array(2).fill("answer_unwritable a header that is not made of bytes"),
  ]);
});

Deno.test("a handler's text in bytes beyond ASCII goes out as those bytes", async () => {
  await using here = serveHere(() => Promise.resolve(new Reply(200, [["x-a", "\xe2\x80\x9c\xff"]], null)));

  const got = await ask(here.port, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");

  assert.match(answersIn(got)[0]?.head ?? "", /\r\nx-a: \xe2\x80\x9c\xff\r\n/);
});
