import assert from "node:assert/strict";
import fc from "fast-check";
import { BadHead, parseRequestHead } from "../../../lib/http/http1/request_head.ts";
import { bytesOf } from "./raw_connection.ts";

function parse(...lines: string[]) {
  return parseRequestHead(bytesOf(`${lines.join("\r\n")}\r\n\r\n`));
}

const get = "GET / HTTP/1.1";
const post = "POST / HTTP/1.1";
const host = "Host: h";

Deno.test("parseRequestHead() tells method, place, headers and how the body ends", () => {
  const head = parse(
    "POST /a/../b?q=%20 HTTP/1.1",
    "hOsT:\t h:1 ",
    "X-A:",
    "x-a: 1, 2",
    "X-B: \xe9\x80 t\tt",
    "Content-Length: 12",
  );

  assert.deepEqual(head, {
    method: "POST",
    url: "http://h:1/a/../b?q=%20",
    fields: [
      ["host", "h:1"],
      ["x-a", ""],
      ["x-a", "1, 2"],
      ["x-b", "\xe9\x80 t\tt"],
      ["content-length", "12"],
    ],
    framing: 12,
    isOld: false,
    keepAlive: true,
    expectsContinue: false,
  });
});

Deno.test("parseRequestHead() knows the framings", () => {
  assert.equal(parse(get, host).framing, "none");
  assert.equal(parse(post, host, "Content-Length: 0").framing, "none");
  assert.equal(parse(post, host, "Content-Length: 999999999999999").framing, 999_999_999_999_999);
  assert.equal(parse(post, host, "Transfer-Encoding: CHUNKED").framing, "chunked");
  assert.equal(parse("GET / HTTP/1.0").framing, "none");
});

Deno.test("parseRequestHead() knows when a connection ends", () => {
  assert.equal(parse(get, host, "Connection: keep-alive").keepAlive, true);
  assert.equal(parse(get, host, "Connection: Close").keepAlive, false);
  assert.equal(parse(get, host, "Connection: x-a , CLOSE").keepAlive, false);
  assert.equal(parse(get, host, "Connection: keep-alive", "Connection: close").keepAlive, false);
  assert.equal(parse(get, host, "Connection: closed").keepAlive, true);
  assert.equal(parse("GET / HTTP/1.0", "Connection: keep-alive").keepAlive, false);
});

Deno.test("parseRequestHead() sees who waits for a word before the body", () => {
  const length = "Content-Length: 3";
  assert.equal(parse(post, host, length, "Expect: 100-Continue").expectsContinue, true);
  assert.equal(parse(post, host, "Transfer-Encoding: chunked", "Expect: 100-continue").expectsContinue, true);
  assert.equal(parse(post, host, "Expect: 100-continue").expectsContinue, false);
  assert.equal(parse("POST / HTTP/1.0", length, "Expect: 100-continue").expectsContinue, false);
});

Deno.test("parseRequestHead() remembers nothing of the lines before that it refused", () => {
  assert.throws(() => parse("GET x HTTP/1.1", host), BadHead);
  assert.throws(() => parse("GET x HTTP/1.1", host), BadHead);
  assert.throws(() => parse(get, "X: \0"), BadHead);
  assert.throws(() => parse(get, "X: \0"), BadHead);
  assert.equal(parse(get, host).method, "GET");
});

const piece = fc.constantFrom(
  "GET / HTTP/1.1",
  "POST http://a/b HTTP/1.0",
  "Host: a",
  "Content-Length: 3",
  "Transfer-Encoding: chunked",
  "\r\n",
  "\r",
  "\n",
  " ",
  "\t",
  ":",
  "\0",
  "\x0b",
  "\x85",
  "\xa0",
  "a",
);

Deno.test("parseRequestHead() takes a head apart so that it could be put together again, or refuses it", () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
      const text = `GET / HTTP/1.1\r\nHost: a\r\n${pieces.join("")}\r\n\r\n`;
      let head;
      try {
        head = parseRequestHead(bytesOf(text));
      } catch (error) {
        assert.ok(error instanceof BadHead, String(error));
        return;
      }
      // Whatever a reader that goes line by line would make of it is the same.
      const lines = text.split(/\r\n|\r|\n/).slice(1, -2);
      assert.deepEqual(
        lines.map((line) => [
          line.slice(0, line.indexOf(":")).toLowerCase(),
          line.slice(line.indexOf(":") + 1).replace(/^[ \t]+/, "").replace(/[ \t]+$/, ""),
        ]),
        head.fields,
      );
      for (const control of "\0\x0b\r\n") assert.ok(!head.fields.flat().join("").includes(control));
    }),
    { numRuns: 3_000 },
  );
});

Deno.test("parseRequestHead() reads any bytes, or refuses them as a bad head", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
    try {
      parseRequestHead(noise);
    } catch (error) {
      assert.ok(error instanceof BadHead, String(error));
    }
  }));
});

Deno.test("parseRequestHead() takes spaces off around a value, never from within it", () => {
  const spaces = " ".repeat(60_000);
  assert.equal(parse(get, host, `X: a${spaces}b${spaces.slice(0, 100)}`).fields[1]?.[1], `a${spaces}b`);
});
