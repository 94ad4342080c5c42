import assert from "node:assert/strict";
import { startUpstream } from "../fakes/upstream.ts";
import { bareServer, httpText } from "../support/bare_server.ts";
import { shakeHands, startPump } from "../support/pump.ts";
import {
  eventStream,
  plainInitialize,
  type RawRequest,
  rawUpstream,
  rpcResult,
} from "../support/raw_upstream.ts";

const call = (id: unknown) => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name: "echo", arguments: { text: "nobody else's business" } },
});

/** Answers `initialize`, and `tools/call` as told. */
function callsGet(answer: (request: RawRequest) => Response | Promise<Response>) {
  return rawUpstream((request) => {
    if (request.method !== "POST") return new Response(null, { status: 405 });
    if (request.rpc?.method === "tools/call") return answer(request);
    return rpcResult(request, request.rpc?.method === "initialize" ? plainInitialize : {});
  });
}

const badAnswers: [name: string, answer: () => Response, code: number, says: RegExp][] = [
  ["HTTP 500", () => new Response("oops", { status: 500 }), -31002, /HTTP 500/],
  [
    "HTTP 502 with HTML",
    () => new Response("<html>", { status: 502, headers: { "content-type": "text/html" } }),
    -31002,
    /HTTP 502/,
  ],
  ["HTTP 429", () => new Response(null, { status: 429 }), -31002, /HTTP 429/],
  ["HTTP 404 without a session", () => new Response("no", { status: 404 }), -31002, /HTTP 404/],
  [
    "HTML with status 200",
    () => new Response("<p>Sign in</p>", { headers: { "content-type": "text/html" } }),
    -31002,
    /not JSON-RPC/,
  ],
  [
    "broken JSON",
    () => new Response('{"jsonrpc":"2.0",', { headers: { "content-type": "application/json" } }),
    -31002,
    /not JSON-RPC/,
  ],
  ["JSON that is no message", () => Response.json("hello"), -31002, /not JSON-RPC/],
  ["an object that is no message", () => Response.json({ ok: true }), -31002, /not JSON-RPC/],
  ["a result without an id", () => Response.json({ jsonrpc: "2.0", result: {} }), -31002, /not JSON-RPC/],
  [
    "a message with something behind it",
    () =>
      new Response('{"jsonrpc":"2.0","id":"first","result":{}} <!-- -->', {
        headers: { "content-type": "application/json" },
      }),
    -31002,
    /not JSON-RPC/,
  ],
  [
    "an event with something behind its message",
    () =>
      new Response('data: {"jsonrpc":"2.0","id":"first","result":{}} x\n\n', {
        headers: { "content-type": "text/event-stream" },
      }),
    -31004,
    /ended before/,
  ],
  [
    "an OAuth error",
    () => Response.json({ error: "insufficient_scope" }, { status: 403 }),
    -31007,
    /HTTP 403/,
  ],
  ["an empty answer", () => new Response(null, { status: 202 }), -31004, /without an answer/],
  [
    "an event stream that ends early",
    () => new Response(": hi\n\n", { headers: { "content-type": "text/event-stream" } }),
    -31004,
    /ended before/,
  ],
  [
    "events that are no messages",
    () => new Response("data: {oops\n\n", { headers: { "content-type": "text/event-stream" } }),
    -31004,
    /ended before/,
  ],
  [
    "a redirect to another origin",
    () => new Response(null, { status: 307, headers: { location: "http://127.0.0.1:1/x?secret=1" } }),
    -31002,
    /redirects to http:\/\/127\.0\.0\.1:1\/x$/,
  ],
  [
    "a redirect to a login page",
    () => new Response(null, { status: 302, headers: { location: "/login" } }),
    -31002,
    /HTTP 302/,
  ],
  [
    "401",
    () => new Response(null, { status: 401, headers: { "www-authenticate": "Bearer" } }),
    -31007,
    /HTTP 401/,
  ],
  ["403", () => new Response(null, { status: 403 }), -31007, /HTTP 403/],
];

for (const [name, answer, code, says] of badAnswers) {
  Deno.test(`a call that is answered with ${name} gets an error with its id, and the pump lives on`, async () => {
    let broken = true;
    await using upstream = callsGet((request) => broken ? answer() : rpcResult(request, { content: [] }));
    await using pump = startPump(upstream.url);
    await shakeHands(pump);

    const { id, error } = await pump.ask(call("first"));
    broken = false;
    const next = await pump.ask(call("next"));

    assert.equal(id, "first");
    assert.equal(error.code, code);
    assert.match(error.data.cause, says);
    assert.ok(error.data.hint.length > 10);
    assert.deepEqual(next.result, { content: [] });
    for (const line of pump.lines) assert.ok(!line.includes("secret"));
  });
}

Deno.test("a connection that breaks in the middle of a JSON answer gives an error with the request's id", async () => {
  await using upstream = callsGet(() => {
    const { response, write, cut } = eventStream({ "content-type": "application/json" });
    write('{"jsonrpc":"2.0","id":1,"resu');
    setTimeout(cut, 20);
    return response;
  });
  await using pump = startPump(upstream.url);
  await shakeHands(pump);

  const { error } = await pump.ask(call(1));

  assert.equal(error.code, -31004);
  assert.match(error.data.hint, /may have been carried out/);
});

Deno.test("a JSON-RPC error in an HTTP error is the answer, and gets the request's id when it has none of its own", async () => {
  await using upstream = callsGet((request) => {
    const ids: Record<string, unknown> = { own: "own", python: "server-error" };
    const id = ids[request.rpc.id] ?? null;
    const error = { code: -32602, message: "bad", data: { big: 1 } };
    return Response.json({ jsonrpc: "2.0", id, error }, { status: 400 });
  });
  await using pump = startPump(upstream.url);
  await shakeHands(pump);

  for (const id of ["own", "python", "other", 5]) {
    const answer = await pump.ask(call(id));
    assert.deepEqual(answer, {
      jsonrpc: "2.0",
      id,
      error: { code: -32602, message: "bad", data: { big: 1 } },
    });
  }
});

Deno.test("a result whose id changed its type on the way is the answer, with the id of the request and all else as it was", async () => {
  const result = '{"n":12345678901234567890,"f":1.50}';
  await using upstream = callsGet((request) =>
    new Response(`{"result":${result},"id":${JSON.stringify(`${request.rpc.id}`)},"jsonrpc":"2.0"}`, {
      headers: { "content-type": "application/json" },
    })
  );
  await using pump = startPump(upstream.url);
  await shakeHands(pump);

  const { id } = await pump.ask(call(5));

  assert.equal(id, 5);
  assert.ok(pump.lines.at(-1)?.includes(result));
});

Deno.test("a result with the id of another request is not taken for the answer", async () => {
  await using upstream = callsGet(() => Response.json({ jsonrpc: "2.0", id: "another", result: {} }));
  await using pump = startPump(upstream.url);
  await shakeHands(pump);

  const { error } = await pump.ask(call("own"));

  assert.equal(error.code, -31004);
  assert.equal(pump.lines.length, 2);
});

Deno.test("a redirect within the origin is followed with the message", async () => {
  await using upstream = rawUpstream((request) => {
    if (request.path === "/mcp") return new Response(null, { status: 308, headers: { location: "/mcp/" } });
    return rpcResult(request, request.rpc?.method === "initialize" ? plainInitialize : { ok: true });
  });
  await using pump = startPump(upstream.url);

  const answer = await pump.ask({ jsonrpc: "2.0", id: 1, method: "tools/list" });

  assert.deepEqual(answer.result, { ok: true });
});

Deno.test("a request that the upstream does not begin to answer gets an error in time", async () => {
  await using upstream = rawUpstream(() => new Promise<Response>(() => {}));
  await using pump = startPump(upstream.url, { connectTimeoutMs: 200 });

  const { error } = await pump.ask({ jsonrpc: "2.0", id: 1, method: "tools/list" });

  assert.equal(error.code, -31006);
  assert.match(error.message, /no answer within 0\.2 s/);
});

Deno.test("a tool may take longer than that while the upstream is there, and not when it is gone", async () => {
  const { promise: release, resolve } = Promise.withResolvers<void>();
  await using upstream = callsGet(async (request) => {
    if (request.rpc.id === "slow") await release;
    else await new Promise(() => {});
    return rpcResult(request, { late: true });
  });
  await using pump = startPump(upstream.url, { connectTimeoutMs: 100 });
  await shakeHands(pump);
  pump.send(call("slow"));
  await upstream.request(({ rpc }) => rpc?.id === "slow");
  await new Promise((go) => setTimeout(go, 350));
  assert.equal(pump.lines.length, 1);
  resolve();
  assert.deepEqual((await pump.answer("slow")).result, { late: true });

  pump.send(call("lost"));
  await upstream.request(({ rpc }) => rpc?.id === "lost");
  upstream.stopListening();

  const { error } = await pump.answer("lost");
  assert.equal(error.code, -31001);
  assert.match(error.message, /any more/);
});

Deno.test("an upstream that is down at start and then comes up is connected to by the next request", async () => {
  await using upstream = startUpstream();
  await upstream.down();
  await using pump = startPump(upstream.url);
  const { error } = await pump.ask({ jsonrpc: "2.0", id: "early", method: "initialize", params: {} });
  assert.equal(error.code, -31001);

  await upstream.up();

  const hello = await shakeHands(pump);
  assert.equal(hello.result.serverInfo.name, "test-upstream");
});

Deno.test("an upstream that restarts for a moment costs the host nothing: the call waits and goes through", async () => {
  await using upstream = startUpstream();
  await using pump = startPump(upstream.url);
  await shakeHands(pump);
  await upstream.down();
  setTimeout(() => upstream.up(), 400);

  const answer = await pump.ask({ ...call("later"), params: { name: "echo", arguments: { text: "back" } } });

  assert.equal(answer.result.content[0].text, "back");
});

Deno.test("a call that was cut off is not sent again, a list is", async () => {
  let cuts = 0;
  await using upstream = rawUpstream((request) => {
    if (request.method !== "POST") return new Response(null, { status: 405 });
    const { method } = request.rpc;
    if ((method === "tools/call" || method === "tools/list") && cuts++ % 2 === 0) {
      const stream = eventStream();
      stream.write(": begun\n\n");
      setTimeout(stream.cut, 10);
      return stream.response;
    }
    return rpcResult(request, method === "initialize" ? plainInitialize : { tools: [] });
  });
  await using pump = startPump(upstream.url);
  await shakeHands(pump);

  const called = await pump.ask(call("call"));
  cuts = 0;
  const listed = await pump.ask({ jsonrpc: "2.0", id: "list", method: "tools/list" });

  assert.equal(called.error.code, -31004);
  assert.deepEqual(listed.result, { tools: [] });
  const times = (method: string) => upstream.requests.filter(({ rpc }) => rpc?.method === method).length;
  assert.equal(times("tools/call"), 1);
  assert.equal(times("tools/list"), 2);
});

Deno.test("when the session cannot be opened again the calls get errors, and it is tried again at the next", async () => {
  let sick = false;
  let session = "one";
  await using upstream = rawUpstream((request) => {
    if (request.method !== "POST") return new Response(null, { status: 405 });
    if (request.rpc.method === "initialize") {
      return sick
        ? new Response(null, { status: 503 })
        : rpcResult(request, plainInitialize, { "mcp-session-id": session });
    }
    if (request.headers.get("mcp-session-id") !== session) return new Response(null, { status: 404 });
    return rpcResult(request, {});
  });
  await using pump = startPump(upstream.url);
  await shakeHands(pump);
  session = "two";
  sick = true;

  const refused = await Promise.all([pump.ask(call(1)), pump.ask(call(2))]);
  sick = false;
  const good = await pump.ask(call(3));

  for (const { error } of refused) assert.match(error.data.cause, /HTTP 503/);
  assert.deepEqual(good.result, {});
});

for (const status of [400, 404]) {
  Deno.test(`a session that is refused with ${status} is opened again with the host's own words`, async () => {
    let session = "one";
    await using upstream = rawUpstream((request) => {
      if (request.method !== "POST") return new Response(null, { status: 405 });
      if (request.rpc.method === "initialize") {
        return rpcResult(request, plainInitialize, { "mcp-session-id": session });
      }
      if (request.headers.get("mcp-session-id") !== session) {
        return Response.json({
          jsonrpc: "2.0",
          id: null,
          error: { code: -32000, message: "Bad Request: No valid session ID provided" },
        }, { status });
      }
      return rpcResult(request, {});
    });
    await using pump = startPump(upstream.url);
    await shakeHands(pump);
    await pump.ask({ jsonrpc: "2.0", id: "level", method: "logging/setLevel", params: { level: "debug" } });
    const posts = () => upstream.requests.filter(({ method }) => method === "POST");
    const before = posts().map(({ text }) => text);
    session = "two";

    const answer = await pump.ask(call(1));

    assert.deepEqual(answer.result, {});
    const after = posts().slice(before.length).map(({ rpc }) => rpc.method);
    assert.deepEqual(after, [
      "tools/call",
      "initialize",
      "notifications/initialized",
      "logging/setLevel",
      "tools/call",
    ]);
    assert.equal(posts().findLast(({ rpc }) => rpc.method === "initialize")?.text, before[0]);
    assert.equal(pump.lines.length, 3);
  });
}

Deno.test("a bad request that has nothing to do with the session is not taken for a lost one", async () => {
  await using upstream = rawUpstream((request) => {
    if (request.method !== "POST") return new Response(null, { status: 405 });
    if (request.rpc.method === "initialize") {
      return rpcResult(request, plainInitialize, { "mcp-session-id": "one" });
    }
    if (request.rpc.method === "tools/call") return new Response("bad argument", { status: 400 });
    return rpcResult(request, {});
  });
  await using pump = startPump(upstream.url);
  await shakeHands(pump);

  const { error } = await pump.ask(call(1));

  assert.match(error.data.cause, /HTTP 400/);
  assert.equal(upstream.requests.filter(({ rpc }) => rpc?.method === "initialize").length, 1);
});

/** A fixed header about the connection makes messages go by fetch, as a proxy does. */
const ways = { directly: [], "by fetch": [["host", "mcp.example.com"]] } as const;

for (const [way, headers] of Object.entries(ways)) {
  Deno.test(`a call is not carried out twice when a kept connection is closed before the answer (${way})`, async () => {
    await using server = bareServer(({ id }) =>
      id === "die" ? undefined : httpText("200 OK", { jsonrpc: "2.0", id, result: {} })
    );
    await using pump = startPump(server.url, { headers });
    for (const id of [1, 2, 3]) await pump.ask(call(id));

    const { error } = await pump.ask(call("die"));

    assert.equal(error.code, -31001);
    assert.equal(server.seen.length, 4);
  });

  Deno.test(`a server that wants the length of a message gets it (${way})`, async () => {
    await using server = bareServer(({ id }, head) =>
      /content-length/i.test(head)
        ? httpText("200 OK", { jsonrpc: "2.0", id, result: {} })
        : httpText("411 Length Required", {})
    );
    await using pump = startPump(server.url, { headers });

    assert.deepEqual((await pump.ask(call(1))).result, {});
    assert.deepEqual((await pump.ask(call(2))).result, {});
    assert.equal(server.seen.length, way === "directly" ? 2 : 3);
  });
}
