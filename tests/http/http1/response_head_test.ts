import assert from "node:assert/strict";
import { Malformed } from "../../../lib/base/http1/fields.ts";
import { answerHead } from "../../../lib/http/http1/response_head.ts";
import { Reply } from "../../../lib/http/reply.ts";

const asked = { method: "GET", isOld: false, keepAlive: true };
const bytes = new Uint8Array(5);
const stream = () => new ReadableStream<Uint8Array>();

/** The head without its date. */
function text(...parts: Parameters<typeof answerHead>): string {
  return answerHead(...parts).text.replace(/date: .*GMT\r\n/, "");
}

Deno.test("answerHead() says how the body ends, by method, status and version", () => {
  const framing = (
    reply: Reply,
    more: Partial<typeof asked> = {},
  ) => {
    const head = answerHead({ ...asked, ...more }, reply, false);
    const said = /^(content-length|transfer-encoding): (.*)\r$/m.exec(head.text)?.slice(1).join(" ");
    return [head.framing, said, head.close];
  };
  const sized: [string, string][] = [["content-length", "7"]];

  assert.deepEqual(framing(new Reply(200, [], bytes)), ["length", "content-length 5", false]);
  assert.deepEqual(framing(new Reply(200, sized, bytes)), ["length", "content-length 5", false]);
  assert.deepEqual(framing(new Reply(200, [], null)), ["length", "content-length 0", false]);
  assert.deepEqual(framing(new Reply(200, sized, stream())), ["length", "content-length 7", false]);
  assert.deepEqual(framing(new Reply(200, [], stream())), ["chunked", "transfer-encoding chunked", false]);
  assert.deepEqual(framing(new Reply(200, [], stream()), { isOld: true }), ["close", undefined, true]);
  assert.deepEqual(framing(new Reply(204, sized, null)), ["none", undefined, false]);
  assert.deepEqual(framing(new Reply(204, [], stream())), ["none", undefined, false]);
  assert.deepEqual(framing(new Reply(304, sized, null)), ["none", "content-length 7", false]);
  assert.deepEqual(framing(new Reply(304, [], null)), ["none", undefined, false]);
  assert.deepEqual(framing(new Reply(200, [], bytes), { method: "HEAD" }), [
    "none",
    "content-length 5",
    false,
  ]);
  assert.deepEqual(framing(new Reply(200, sized, null), { method: "HEAD" }), [
    "none",
    "content-length 7",
    false,
  ]);
  assert.deepEqual(framing(new Reply(200, [], stream()), { method: "HEAD" }), ["none", undefined, false]);
});

Deno.test("answerHead() writes what is about the connection itself, once", () => {
  const reply = new Reply(200, [
    ["connection", "keep-alive, x-a"],
    ["keep-alive", "timeout=5"],
    ["transfer-encoding", "gzip"],
    ["upgrade", "h2c"],
    ["date", "yesterday"],
    ["set-cookie", "a=1"],
    ["set-cookie", "b=2"],
  ], bytes);

  const head = "HTTP/1.1 200 OK\r\nset-cookie: a=1\r\nset-cookie: b=2\r\ncontent-length: 5\r\n";
  assert.equal(text(asked, reply, false), `${head}\r\n`);
  assert.equal(text(asked, reply, true), `${head}connection: close\r\n\r\n`);
  assert.equal(text({ ...asked, keepAlive: false }, reply, false), `${head}connection: close\r\n\r\n`);
  assert.match(
    answerHead(asked, reply, false).text,
    /\r\ndate: \w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT\r\n\r\n$/,
  );
});

Deno.test("answerHead() ends the connection where the answer says so", () => {
  const last = answerHead(asked, new Reply(413, [["connection", "close"]], null), false);

  assert.equal(last.close, true);
  assert.equal(last.text.match(/connection: close\r\n/g)?.length, 1);
});

Deno.test("answerHead() refuses what would change what the head says", () => {
  for (
    const value of [
      "a\r\nset-cookie: b",
      "a\nb",
      "a\rb",
      "a\0b",
      "a\r\n\r\n<script>",
      "\u0141",
      "a\u{1f600}",
      "a\u010a",
    ]
  ) {
    assert.throws(
      () => answerHead(asked, new Reply(200, [["x-a", value]], null), false),
      Malformed,
      JSON.stringify(value),
    );
  }
  assert.throws(() => answerHead(asked, new Reply(200, [["x\r\ny", "a"]], null), false), Malformed);
  for (const length of ["", "x", "-1", "5, 5", "1e3", "9".repeat(20)]) {
    assert.throws(
      () => answerHead(asked, new Reply(200, [["content-length", length]], stream()), false),
      Malformed,
      length,
    );
  }
  assert.match(text(asked, new Reply(200, [["x-a", "\xe9\x80\xff"]], null), false), /x-a: \xe9\x80\xff\r\n/);
});
