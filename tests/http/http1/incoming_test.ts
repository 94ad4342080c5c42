/** What handlers see of a request, and how it becomes one of the runtime's. */
import assert from "node:assert/strict";
import { asRequest, type Incoming } from "../../../lib/http/incoming.ts";
import { replyOf } from "../../../lib/http/reply.ts";
import { answersIn, ask, say, serveHere } from "./raw_connection.ts";

/** The request as a handler sees it, while its connection is open. */
async function seen(head: string, look: (request: Incoming) => unknown): Promise<unknown> {
  let found: unknown;
  await using here = serveHere(async (request) => {
    found = await look(request);
    return say("");
  });
  const got = await ask(here.port, `${head}\r\nConnection: close\r\n\r\n`);
  assert.equal(answersIn(got)[0]?.status, 200);
  return found;
}

const head = [
  "POST /a/../b?q HTTP/1.1",
  "Host: h:1",
  "Cookie: a=1",
  "Cookie: b=2",
  "X-Latin: \xe9\xff",
  "X-Empty:",
].join("\r\n");

Deno.test("headers are read by name, joined where there are several, and in their order one by one", async () => {
  const found = await seen(head, ({ headers }) => {
    const all: string[] = [];
    headers.forEach((value, name) => all.push(`${name}=${value}`));
    return {
      all,
      cookie: headers.get("cookie"),
      empty: headers.get("x-empty"),
      none: headers.get("x"),
      has: [headers.has("x-empty"), headers.has("x")],
    };
  });

  assert.deepEqual(found, {
    all: [
      "host=h:1",
      "cookie=a=1",
      "cookie=b=2",
      "x-latin=\xe9\xff",
      "x-empty=",
      "connection=close",
    ],
    cookie: "a=1, b=2",
    empty: "",
    none: null,
    has: [true, false],
  });
});

Deno.test("as a request of the runtime it has the same method, place, headers and body", async () => {
  const found = await seen(head, async (incoming) => {
    const request = asRequest(incoming, new TextEncoder().encode("body"));
    return [
      request.method,
      request.url,
      request.headers.get("x-latin"),
      await request.text(),
      request.signal.aborted,
    ];
  });

  assert.deepEqual(found, ["POST", "http://h:1/b?q", "\xe9\xff", "body", false]);
});

Deno.test("methods that the runtime has no request for are refused before", async () => {
  for (const method of ["TRACE", "TRACK"]) {
    const found = await seen(head.replace("POST", method), (incoming) => {
      assert.throws(() => asRequest(incoming, null), TypeError);
      return incoming.method;
    });
    assert.equal(found, method);
  }
});

Deno.test("a framework's answer keeps its cookies apart", () => {
  const response = new Response(null, { status: 201 });
  response.headers.append("set-cookie", "a=1");
  response.headers.append("set-cookie", "b=2");

  const { status, headers } = replyOf(response);

  assert.deepEqual([status, headers], [201, [["set-cookie", "a=1"], ["set-cookie", "b=2"]]]);
});
