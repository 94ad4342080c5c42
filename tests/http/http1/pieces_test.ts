/** However a client cuts its requests into pieces, they mean the same; and noise does no harm. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { answersIn, bytesOf, RawConnection, say, serveHere } from "./raw_connection.ts";

/** Answers with all that it understood of a request. */
function echo() {
  return serveHere(async (request) => {
    const headers: string[] = [];
    request.headers.forEach((value, name) => {
      if (name.startsWith("x-")) headers.push(`${name}=${value}`);
    });
    const small = request.atHand?.();
    const body = small === undefined ? await request.bytes() : small.slice();
    return say(JSON.stringify([request.method, request.url, headers, [...body]]));
  });
}

const token = fc.stringMatching(/^[A-Za-z0-9_-]{1,12}$/);
const value = fc.stringMatching(/^[!-~\xa1-\xff]([ \t!-~\xa1-\xff]{0,30}[!-~\xa1-\xff])?$/);
const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { maxLength: 5 });

interface Made {
  readonly text: string;
  readonly understood: unknown;
}

const madeRequest: fc.Arbitrary<Made> = fc.record({
  method: fc.constantFrom("POST", "GET", "DELETE", "PATCH", "odd"),
  path: fc.stringMatching(/^\/[a-z0-9/%?=]{0,20}$/),
  headers: fc.array(fc.tuple(token, value), { maxLength: 6 }),
  pad: fc.stringMatching(/^[ \t]{0,3}$/),
  body: fc.oneof(
    fc.constant({ kind: "none" as const, chunks: [] as Uint8Array[] }),
    chunks.map((made) => ({ kind: "sized" as const, chunks: made })),
    chunks.map((made) => ({ kind: "chunked" as const, chunks: made })),
  ),
  extension: fc.constantFrom("", ";a=b", ' ;a="b;c"'),
  trailer: fc.constantFrom("", "X-Sum: 1\r\n", "Content-Length: 5\r\nA: b\r\n"),
}).map(({ method, path, headers, pad, body, extension, trailer }) => {
  const bytes = body.chunks.flatMap((chunk) => [...chunk]);
  const data = String.fromCharCode(...bytes);
  const lines = [`${method} ${path} HTTP/1.1`, `Host:${pad}h${pad}`];
  for (const [name, text] of headers) lines.push(`X-${name}:${pad}${text}${pad}`);
  let rest = "";
  if (body.kind === "sized") {
    lines.push(`Content-Length:${pad}${bytes.length}${pad}`);
    rest = data;
  } else if (body.kind === "chunked") {
    lines.push(`Transfer-Encoding: ${pad}Chunked`);
    rest = body.chunks.map((chunk) =>
      `${chunk.length.toString(16).toUpperCase()}${extension}\r\n${String.fromCharCode(...chunk)}\r\n`
    ).join("") + `0${extension}\r\n${trailer}\r\n`;
  }
  return {
    text: `${lines.join("\r\n")}\r\n\r\n${rest}`,
    understood: [
      method,
      `http://h${path}`,
      headers.map(([name, text]) => `x-${name.toLowerCase()}=${text}`),
      bytes,
    ],
  };
});

Deno.test("requests mean the same in whatever pieces they come", async () => {
  await using here = echo();

  await fc.assert(
    fc.asyncProperty(
      fc.array(madeRequest, { minLength: 1, maxLength: 4 }),
      fc.array(fc.nat(2_000), { maxLength: 12 }),
      async (requests, cuts) => {
        const all = bytesOf(requests.map(({ text }) => text).join("") + end);
        const at = [0, ...cuts.map((cut) => cut % all.length).sort((a, b) => a - b), all.length];
        using connection = await RawConnection.open(here.port);
        for (let piece = 1; piece < at.length; piece++) {
          await connection.send(all.subarray(at[piece - 1], at[piece]));
          // Lets the server read what is there.
          await new Promise((resolve) => setTimeout(resolve, 0));
        }
        const answers = answersIn(await connection.toEnd());
        assert.deepEqual(
          answers.slice(0, -1).map(({ body }) => JSON.parse(body)),
          requests.map(({ understood }) => understood),
        );
      },
    ),
    { numRuns: 150 },
  );
});

const end = "GET /end HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

const noise = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.constantFrom(
        "\r\n",
        "\n",
        "\r",
        " ",
        ":",
        "GET / HTTP/1.1\r\n",
        "POST /x HTTP/1.1\r\nHost: h\r\n",
        "Content-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Expect: 100-continue\r\n",
        "0\r\n\r\n",
        "5\r\nhello\r\n",
        "\r\n\r\n",
      ),
    },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 20 }).map((bytes) => String.fromCharCode(...bytes)) },
  ),
  { maxLength: 12 },
).map((parts) => parts.join(""));

Deno.test("whatever is sent, what comes back are whole answers, and others are served", async () => {
  await using here = echo();

  await fc.assert(
    fc.asyncProperty(noise, async (text) => {
      using connection = await RawConnection.open(here.port);
      await connection.send(text);
      await connection.conn.closeWrite();
      const answers = answersIn((await connection.toEnd()).replaceAll("HTTP/1.1 100 Continue\r\n\r\n", ""));
      // No more answers than request lines.
      assert.ok(answers.length <= text.split("HTTP/1.1").length, text);
    }),
    { numRuns: 300 },
  );

  using after = await RawConnection.open(here.port);
  await after.send(end);
  assert.equal(answersIn(await after.toEnd())[0]?.status, 200);
});
