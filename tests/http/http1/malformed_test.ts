/** Requests that two servers could read in two ways, or that nobody can read: refused, and the connection with them. */
import assert from "node:assert/strict";
import { heardLog } from "../../support/watched_log.ts";
import { startFront } from "../support.ts";
import { answersIn, ask, serveHere } from "./raw_connection.ts";

const smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";

/** The request, and the status of its answer. */
const refused: [text: string, status: number][] = [
  // Where the body ends.
  ["POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n", 400],
  ["POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", 400],
  ["POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5\r\n\r\n", 400],
  ["POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\n", 400],
  ["POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", 400],
  ["POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -0\r\n\r\n", 400],
  ["POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x5\r\n\r\n", 400],
  ["POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5.0\r\n\r\n", 400],
  ["POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5e0\r\n\r\n", 400],
  ["POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 010\r\n\r\n", 400],
  ["POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 00\r\n\r\n", 400],
  ["POST / HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\n", 400],
  ["POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5 5\r\n\r\n", 400],
  ["POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \x0b5\r\n\r\n", 400],
  ["POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\xa0\r\n\r\n", 400],
  ["POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", 400],
  ["POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400],
  ["POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n", 400],
  [
    "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    400,
  ],
  ["POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 400],
  ["POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\x0c\r\n\r\n0\r\n\r\n", 400],
  ["POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\xa0\r\n\r\n0\r\n\r\n", 501],
  ["POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501],
  ["POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 501],
  ["POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501],
  ["POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 501],
  ["POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n", 501],
  ["POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\r\n\r\n0\r\n\r\n", 501],
  ["POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400],
  // Lines.
  ["POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\n\r\n0\r\n\r\n", 400],
  ["POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 40\n\r\n", 400],
  ["POST / HTTP/1.1\r\nHost: x\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400],
  ["GET / HTTP/1.1\nHost: x\r\n\r\n", 400],
  ["GET / HTTP/1.1\nHost: x\n\n", 400],
  ["GET / HTTP/1.1\r\nHost: x\r\n\n", 400],
  ["GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\r\n\r\n", 400],
  ["GET / HTTP/1.1\r\nHost: x\r\nX: 1\rTransfer-Encoding: chunked\r\n\r\n", 400],
  ["GET / HTTP/1.1\r\nHost: x\r\nX: 1\r\n folded\r\n\r\n", 400],
  ["GET / HTTP/1.1\r\nHost: x\r\nX: 1\r\n\tTransfer-Encoding: chunked\r\n\r\n", 400],
  ["GET / HTTP/1.1\r\n Host: x\r\n\r\n", 400],
  ["GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n", 400],
  ["GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding\r\n\r\n", 400],
  ["GET / HTTP/1.1\r\nHost: x\r\n: nameless\r\n\r\n", 400],
  ["GET / HTTP/1.1\r\nHost: x\r\nX\0: 1\r\n\r\n", 400],
  ["GET / HTTP/1.1\r\nHost: x\r\nX\xe9: 1\r\n\r\n", 400],
  ["GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n", 400],
  ["GET / HTTP/1.1\r\nHost: x\r\nX: a\x7fb\r\n\r\n", 400],
  ["GET / HTTP/1.1\r\nHost: x\r\nX: a\x1bb\r\n\r\n", 400],
  // The request line.
  ["GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400],
  ["GET /\tHTTP/1.1\r\nHost: x\r\n\r\n", 400],
  ["GET / HTTP/1.1 \r\nHost: x\r\n\r\n", 400],
  [" GET / HTTP/1.1\r\nHost: x\r\n\r\n", 400],
  ["\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", 400],
  ["GET / x HTTP/1.1\r\nHost: x\r\n\r\n", 400],
  ["GET /\xe9 HTTP/1.1\r\nHost: x\r\n\r\n", 400],
  ["GET /#part HTTP/1.1\r\nHost: x\r\n\r\n", 400],
  ["GET /\r HTTP/1.1\r\nHost: x\r\n\r\n", 400],
  ["GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n", 400],
  ["G\xc9T / HTTP/1.1\r\nHost: x\r\n\r\n", 400],
  ["G(T / HTTP/1.1\r\nHost: x\r\n\r\n", 400],
  ["GET\r\nHost: x\r\n\r\n", 400],
  ["GET /\r\nHost: x\r\n\r\n", 400],
  ["GET / http/1.1\r\nHost: x\r\n\r\n", 400],
  ["GET / HTTP/1.10\r\nHost: x\r\n\r\n", 400],
  ["GET / HTTP/0.9\r\nHost: x\r\n\r\n", 505],
  ["GET / HTTP/1.2\r\nHost: x\r\n\r\n", 505],
  ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505],
  ["* * HTTP/1.1\r\nHost: x\r\n\r\n", 400],
  ["OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 400],
  ["CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n", 501],
  ["CONNECT / HTTP/1.1\r\nHost: x\r\n\r\n", 501],
  ["GET x:80/ HTTP/1.1\r\nHost: x\r\n\r\n", 400],
  ["GET .evil.example/ HTTP/1.1\r\nHost: x\r\n\r\n", 400],
  ["GET .evil.example/ HTTP/1.0\r\n\r\n", 400],
  ["GET file://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400],
  ["GET a/http://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400],
  ["GET http:///x HTTP/1.1\r\nHost: x\r\n\r\n", 400],
  [`GET /${"x".repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 414],
  [`GET /${"x".repeat(70_000)}`, 414],
  // The rest of the head.
  ["GET / HTTP/1.1\r\n\r\n", 400],
  ["GET http://x/ HTTP/1.1\r\n\r\n", 400],
  ["GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400],
  ["GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400],
  ["POST / HTTP/1.1\r\nHost: x\r\nExpect: 200-ok\r\nContent-Length: 5\r\n\r\n", 417],
  [`GET / HTTP/1.1\r\nHost: x\r\n${"X: y\r\n".repeat(256)}\r\n`, 431],
  [`GET / HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(66_000)}\r\n\r\n`, 431],
  [`GET / HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(66_000)}`, 431],
];

Deno.test("a head that is not to be trusted gets its status, the connection ends, and nothing after it is answered", async () => {
  const seen: string[] = [];
  const unreadable: unknown[] = [];
  const log = heardLog({ info: (event, fields) => unreadable.push(`${event} ${fields?.status}`) });
  await using here = serveHere((request) => {
    seen.push(request.url);
    return Promise.resolve(new Response("served"));
  }, { log });

  // Nothing more has to come for it to be refused.
  await Promise.all(["", smuggled].flatMap((after) =>
    refused.map(async ([text, status]) => {
      const got = await ask(here.port, text + after);

      const [answer, ...more] = answersIn(got);
      assert.equal(answer?.status, status, JSON.stringify(text.slice(0, 200)));
      assert.match(answer.head, /\r\nconnection: close\r\n/);
      assert.deepEqual([answer.body, more], ["", []]);
    })
  ));

  assert.deepEqual(seen, []);
  assert.equal(unreadable.length, refused.length * 2);
  assert.ok(unreadable.includes("request_unreadable 414"));
});

/** Chunked bodies that are none; what follows them would be the next request for a lenient reader. */
const badChunks = [
  "5\nhello\r\n0\r\n\r\n",
  "5\r\nhello\n0\r\n\r\n",
  "5;x\nhello\r\n0\r\n\r\n",
  "5;x\rhello\r\n0\r\n\r\n",
  "5\r\nhello!\r\n0\r\n\r\n",
  "5\r\nhell\r\n0\r\n\r\n",
  "5\r\nhello0\r\n\r\n",
  "+5\r\nhello\r\n0\r\n\r\n",
  "-5\r\nhello\r\n0\r\n\r\n",
  "0x5\r\nhello\r\n0\r\n\r\n",
  " 5\r\nhello\r\n0\r\n\r\n",
  "5 \r\nhello\r\n0\r\n\r\n",
  "5,5\r\nhello\r\n0\r\n\r\n",
  "\r\nhello\r\n0\r\n\r\n",
  "fffffffffffffffff5\r\nhello\r\n0\r\n\r\n",
  `5;${"x".repeat(9_000)}\r\nhello\r\n0\r\n\r\n`,
  "5\r\nhello\r\n0\r\nX: y\n\r\n",
];

Deno.test("a malformed chunked body is 400, the connection ends, and nothing of it or after it goes on whole", async () => {
  const whole: string[] = [];
  await using front = await startFront({
    upstream: async (request) => {
      await request.text().then((body) => whole.push(body), () => {});
      return Response.json({});
    },
  });
  const head =
    "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer alice\r\nTransfer-Encoding: chunked\r\n\r\n";

  for (const body of badChunks) {
    const got = await ask(front.port, head + body + smuggled);

    const [answer, ...more] = answersIn(got);
    assert.equal(answer?.status, 400, JSON.stringify(body.slice(0, 60)));
    assert.match(answer.body, /^\{"jsonrpc":"2\.0","id":null,"error":.*malformed/);
    assert.match(answer.head, /\r\nconnection: close\r\n/);
    assert.deepEqual(more, []);
  }

  assert.deepEqual(whole, []);
});

Deno.test("line ends before a request are overlooked, however they come", async () => {
  await using here = serveHere((request) => Promise.resolve(new Response(request.url)));
  const get = "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

  assert.equal(answersIn(await ask(here.port, `\r\n\r\n${get}`))[0]?.body, "http://x/a");
});

Deno.test("an absolute target names the host, and a scheme in capitals is one", async () => {
  await using here = serveHere((request) => Promise.resolve(new Response(request.url)));
  const head = "HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

  assert.equal(answersIn(await ask(here.port, `GET http://x/a?b ${head}`))[0]?.body, "http://x/a?b");
  assert.equal(answersIn(await ask(here.port, `GET HTTP://y/a ${head}`))[0]?.body, "HTTP://y/a");
});
