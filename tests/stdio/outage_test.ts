/** What goes wrong while a session is under way, and what is left of it afterwards. */
import assert from "node:assert/strict";
import { startUpstream } from "../fakes/upstream.ts";
import { bareServer, cut, httpText } from "../support/bare_server.ts";
import { shakeHands, startPump } from "../support/pump.ts";
import {
  eventStream,
  plainInitialize,
  type RawRequest,
  rawUpstream,
  rpcResult,
} from "../support/raw_upstream.ts";
import { numberedTokens } from "./numbered_tokens.ts";

const call = (id: unknown) => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name: "echo", arguments: { text: "for the tool alone" } },
});
const isGet = ({ method }: RawRequest) => method === "GET";
const changed = "notifications/tools/list_changed";

Deno.test("an upstream that is down for a while: each request gets an error, and the next is answered when it is back", async () => {
  await using upstream = startUpstream();
  await using pump = startPump(upstream.url);
  await shakeHands(pump);
  await pump.ask({ jsonrpc: "2.0", id: "s", method: "resources/subscribe", params: { uri: "note://one" } });
  await upstream.down();

  const failed = await Promise.all([1, "1", "two"].map((id) => pump.ask(call(id))));
  await upstream.up();
  const good = await pump.ask(call("good"));
  while (!upstream.received.some(({ method }) => method === "GET")) {
    await new Promise((go) => setTimeout(go, 5));
  }
  await upstream.toolsChanged();

  assert.deepEqual(failed.map(({ id }) => id), [1, "1", "two"]);
  for (const { error } of failed) {
    assert.equal(error.code, -31001);
    assert.match(error.data.cause, /Cannot reach/);
    assert.match(error.data.hint, /running/);
  }
  assert.equal(good.result.content[0].text, "for the tool alone");
  assert.equal(upstream.sessions.size, 1);
  assert.ok(upstream.received.some(({ rpcMethod }) => rpcMethod === "resources/subscribe"));
  await pump.find(({ method }) => method === changed);
});

const head = "HTTP/1.1 200 OK\r\ncontent-type: ";
const json = `${head}application/json\r\ncontent-length: 500\r\n\r\n`;
const events = `${head}text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n`;
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
const steps: [step: string, answer: string | undefined][] = [
  ["before it says anything", undefined],
  ["within the headers", `${head}${cut}`],
  ["after the headers", json + cut],
  ["in the middle of a JSON answer", `${json}{"jsonrpc":"2.0","id":"x","res${cut}`],
  ["after the headers of a stream", events + cut],
  ["in the middle of an event", events + chunk('data: {"jsonrpc":"2.0",') + cut],
  ["between two events", events + chunk('data: {"jsonrpc":"2.0","method":"n"}\n\n') + cut],
  ["after an empty answer", `HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n${cut}`],
];
for (const [step, reply] of steps) {
  Deno.test(`an upstream that dies ${step}: the request gets an error with its id, and the next an answer`, async () => {
    await using server = bareServer(({ id }) =>
      id === "x" ? reply : httpText("200 OK", { jsonrpc: "2.0", id, result: {} })
    );
    await using pump = startPump(server.url);
    await pump.ask(call(1));

    const { error } = await pump.ask(call("x"));
    const next = await pump.ask(call(2));

    assert.ok(error.code === -31001 || error.code === -31004, JSON.stringify(error));
    assert.ok(error.data.hint.length > 10);
    assert.deepEqual(next.result, {});
    assert.equal(server.seen.length, 3);
  });
}

Deno.test("a notification that the upstream does not take writes nothing", async () => {
  await using upstream = rawUpstream((request) =>
    request.rpc.id === undefined ? new Response("no", { status: 500 }) : rpcResult(request, plainInitialize)
  );
  await using pump = startPump(upstream.url);

  pump.send({ jsonrpc: "2.0", method: "notifications/roots/list_changed" });
  await upstream.request(({ rpc }) => rpc?.method === "notifications/roots/list_changed");
  await pump.ask({ jsonrpc: "2.0", id: 1, method: "ping" });

  assert.equal(pump.lines.length, 1);
});

Deno.test("a stream that is asked for again at an upstream that has gone meanwhile gives an error", async () => {
  const stream = eventStream();
  await using upstream = rawUpstream((request) => {
    if (isGet(request) && request.headers.get("last-event-id") === "e1") {
      return new Promise<Response>(() => {});
    }
    if (isGet(request)) return new Response(null, { status: 405 });
    return request.rpc?.method === "tools/call" ? stream.response : rpcResult(request, plainInitialize);
  });
  await using pump = startPump(upstream.url, { connectTimeoutMs: 100 });
  await shakeHands(pump);
  pump.send(call("c"));
  await upstream.request(({ rpc }) => rpc?.method === "tools/call");
  stream.write("id: e1\nretry: 1\ndata:\n\n");
  stream.end();
  await upstream.request(({ headers }) => headers.get("last-event-id") === "e1");
  await new Promise((go) => setTimeout(go, 300));
  assert.equal(pump.lines.length, 1);

  upstream.stopListening();

  const { error } = await pump.answer("c");
  assert.ok(error.code === -31001 || error.code === -31004, JSON.stringify(error));
});

/** An upstream that lets one token in at a time. */
function doorkeeper(answer: (request: RawRequest) => Response) {
  const door = { open: "Bearer t0" };
  const upstream = rawUpstream((request) => {
    if (request.headers.get("authorization") === door.open) return answer(request);
    return new Response(null, { status: 401, headers: { "www-authenticate": "Bearer" } });
  });
  return { upstream, door };
}

Deno.test("a token that expires in the middle of a call's stream is renewed, and the stream resumed with the new one", async () => {
  const stream = eventStream();
  const { upstream: server, door } = doorkeeper((request) => {
    if (isGet(request)) {
      if (request.headers.get("last-event-id") !== "e1") return new Response(null, { status: 405 });
      const resumed = eventStream();
      resumed.event({ jsonrpc: "2.0", id: "c", result: { done: true } });
      return resumed.response;
    }
    return request.rpc?.method === "tools/call" ? stream.response : rpcResult(request, plainInitialize);
  });
  await using upstream = server;
  const { credentials } = numberedTokens();
  await using pump = startPump(upstream.url, { credentials });
  await shakeHands(pump);
  pump.send(call("c"));
  await upstream.request(({ rpc }) => rpc?.method === "tools/call");
  stream.write("id: e1\nretry: 10\ndata:\n\n");

  door.open = "Bearer t1";
  stream.end();

  assert.deepEqual((await pump.answer("c")).result, { done: true });
  assert.equal(upstream.requests.filter(({ rpc }) => rpc?.method === "tools/call").length, 1);
});

Deno.test("the upstream's own stream that ends with its token is opened again with a new one", async () => {
  const streams: ReturnType<typeof eventStream>[] = [];
  const { upstream: server, door } = doorkeeper((request) => {
    if (!isGet(request)) return rpcResult(request, plainInitialize);
    const stream = eventStream();
    streams.push(stream);
    stream.write("retry: 10\n\n");
    return stream.response;
  });
  await using upstream = server;
  const { credentials, refusals } = numberedTokens();
  await using pump = startPump(upstream.url, { credentials });
  await shakeHands(pump);
  await upstream.request(isGet);

  door.open = "Bearer t1";
  streams[0]?.end();
  while (streams.length < 2) await new Promise((go) => setTimeout(go, 5));
  streams[1]?.event({ jsonrpc: "2.0", method: changed });

  await pump.find(({ method }) => method === changed);
  assert.equal(refusals.length, 1);
});
