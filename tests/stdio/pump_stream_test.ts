import assert from "node:assert/strict";
import { type Clock, systemClock } from "../../lib/base/clock.ts";
import { startUpstream } from "../fakes/upstream.ts";
import { initializeMessage, shakeHands, startPump, type TestPump } from "../support/pump.ts";
import {
  eventStream,
  plainInitialize,
  type RawRequest,
  rawUpstream,
  rpcResult,
} from "../support/raw_upstream.ts";

const call = (id: unknown, name = "echo", args: unknown = {}, _meta?: unknown) => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name, arguments: args, ...(_meta === undefined ? {} : { _meta }) },
});
const isPost = (request: RawRequest, method: string) =>
  request.method === "POST" && request.rpc?.method === method;

Deno.test("an answer of the host to the upstream passes while the call that asked for it hangs", async () => {
  await using upstream = startUpstream();
  await using pump = startPump(upstream.url);
  await shakeHands(pump);

  pump.send(call("asks", "elicit"));
  const question = await pump.find((message) => message.method === "elicitation/create");
  pump.send({ jsonrpc: "2.0", id: question.id, result: { action: "accept", content: { name: "Ada" } } });

  assert.match((await pump.answer("asks")).result.content[0].text, /Ada/);
});

Deno.test("progress, log messages and sampling come while the call runs, before its answer", async () => {
  await using upstream = startUpstream();
  await using pump = startPump(upstream.url);
  pump.onMessage = (message) => {
    if (message.method !== "sampling/createMessage") return;
    const content = { type: "text", text: "four" };
    pump.send({ jsonrpc: "2.0", id: message.id, result: { role: "assistant", content, model: "m" } });
  };
  await shakeHands(pump);

  await pump.ask(call(1, "slow", { steps: 3, delayMs: 1 }, { progressToken: 1 }));
  await pump.ask(call(2, "log", { count: 2 }));
  const sampled = await pump.ask(call(3, "sample", { prompt: "2+2" }));

  const methods = pump.lines.map((line) => JSON.parse(line).method ?? JSON.parse(line).id);
  const progress = "notifications/progress";
  assert.deepEqual(methods.filter((method) => method !== 0), [
    progress,
    progress,
    progress,
    1,
    "notifications/message",
    "notifications/message",
    2,
    "sampling/createMessage",
    3,
  ]);
  assert.match(sampled.result.content[0].text, /four/);
});

Deno.test("one slow call does not hold up the others", async () => {
  await using upstream = startUpstream();
  await using pump = startPump(upstream.url);
  await shakeHands(pump);

  pump.send(call("slow", "slow", { steps: 1, delayMs: 400 }));
  await pump.ask(call("quick", "echo", { text: "x" }));

  assert.ok(!pump.lines.some((line) => line.includes('"slow"')));
  await pump.answer("slow");
});

Deno.test("a cancellation reaches the upstream with its id, and no error is made up for the cancelled call", async () => {
  let hanging: ReturnType<typeof eventStream> | undefined;
  await using upstream = rawUpstream((request) => {
    if (request.method !== "POST") return new Response(null, { status: 405 });
    if (isPost(request, "tools/call")) return (hanging = eventStream()).response;
    if (isPost(request, "notifications/cancelled")) hanging?.end();
    return rpcResult(request, request.rpc?.method === "initialize" ? plainInitialize : {});
  });
  await using pump = startPump(upstream.url);
  await shakeHands(pump);

  pump.send(call("long"));
  await upstream.request((request) => isPost(request, "tools/call"));
  pump.send('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"long"}}');
  await upstream.request((request) => isPost(request, "notifications/cancelled"));
  await pump.ask({ jsonrpc: "2.0", id: "after", method: "ping" });

  assert.deepEqual(pump.lines.map((line) => JSON.parse(line).id), [0, "after"]);
});

Deno.test("what the host writes right after initialized arrives after it", async () => {
  await using upstream = rawUpstream(async (request) => {
    if (request.method !== "POST") return new Response(null, { status: 405 });
    if (isPost(request, "notifications/initialized")) await new Promise((go) => setTimeout(go, 60));
    if (isPost(request, "initialize")) await new Promise((go) => setTimeout(go, 60));
    return rpcResult(request, request.rpc?.method === "initialize" ? plainInitialize : {}, {
      "mcp-session-id": "s",
    });
  });
  await using pump = startPump(upstream.url);

  pump.send(initializeMessage());
  pump.send({ jsonrpc: "2.0", method: "notifications/initialized" });
  pump.send({ jsonrpc: "2.0", id: 1, method: "tools/list" });
  await pump.answer(1);

  const posts = upstream.requests.filter(({ method }) => method === "POST");
  assert.deepEqual(posts.map(({ rpc }) => rpc.method), [
    "initialize",
    "notifications/initialized",
    "tools/list",
  ]);
  assert.deepEqual(posts.map(({ headers }) => headers.get("mcp-session-id")), [null, "s", "s"]);
});

/** Answers a call with a stream that breaks, and goes on with it on GET. */
async function resumes(
  first: (stream: ReturnType<typeof eventStream>) => void,
  then: (request: RawRequest, turn: number) => Response,
  use: (pump: TestPump, gets: () => { at: number; request: RawRequest }[]) => Promise<void>,
) {
  const gets: { at: number; request: RawRequest }[] = [];
  await using upstream = rawUpstream((request) => {
    if (request.method === "GET") {
      if (request.headers.get("last-event-id") === null) return new Response(null, { status: 405 });
      gets.push({ at: performance.now(), request });
      return then(request, gets.length);
    }
    if (!isPost(request, "tools/call")) {
      return rpcResult(request, request.rpc?.method === "initialize" ? plainInitialize : {});
    }
    const stream = eventStream();
    first(stream);
    return stream.response;
  });
  await using pump = startPump(upstream.url);
  await shakeHands(pump);
  await use(pump, () => gets);
}

const answerOf = (id: unknown) => ({ jsonrpc: "2.0", id, result: { resumed: true } });

Deno.test("a stream that the upstream closes before the answer is resumed after the time it asked for", async () => {
  let closed = 0;
  await resumes(
    (stream) => {
      stream.write("id: e1\nretry: 300\ndata:\n\n");
      closed = performance.now();
      stream.end();
    },
    () => {
      const stream = eventStream();
      stream.event(answerOf(1), "e2");
      stream.end();
      return stream.response;
    },
    async (pump, gets) => {
      assert.deepEqual((await pump.ask(call(1))).result, { resumed: true });
      const [get] = gets();
      assert.equal(get?.request.headers.get("last-event-id"), "e1");
      assert.ok((get?.at ?? 0) - closed >= 290);
    },
  );
});

Deno.test("polling goes on from stream to stream, each from the last event that came whole", async () => {
  await resumes(
    (stream) => {
      stream.write("retry: 20\n\n");
      stream.event({ jsonrpc: "2.0", method: "notifications/progress", params: { progress: 1 } }, "e1");
      stream.write('id: e2\ndata: {"jsonrpc":"2.0","id":1,"resul');
      setTimeout(stream.cut, 30);
    },
    (_, turn) => {
      const stream = eventStream();
      if (turn < 3) stream.write(`id: poll${turn}\ndata:\n\n`);
      else stream.event(answerOf(1), "end");
      stream.end();
      return stream.response;
    },
    async (pump, gets) => {
      assert.deepEqual((await pump.ask(call(1))).result, { resumed: true });
      assert.deepEqual(gets().map(({ request }) => request.headers.get("last-event-id")), [
        "e1",
        "poll1",
        "poll2",
      ]);
    },
  );
});

Deno.test("a stream that cannot be resumed gives an error with the request's id", async () => {
  await resumes(
    (stream) => {
      stream.write("id: e1\nretry: 1\ndata:\n\n");
      stream.end();
    },
    () => new Response(null, { status: 405 }),
    async (pump) => {
      const { id, error } = await pump.ask(call("r"));
      assert.equal(id, "r");
      assert.equal(error.code, -31004);
    },
  );
});

/** The waits of a pump's clock, each of which is over at once. */
function impatientClock() {
  const waitsMs: number[] = [];
  const sleep: Clock["sleep"] = (ms, signal) => {
    waitsMs.push(ms);
    return systemClock.sleep(1, signal);
  };
  return { clock: { now: systemClock.now, sleep }, waitsMs };
}

Deno.test("a call whose stream is resumed with nothing new, again and again, gets an error", async () => {
  let gets = 0;
  await using upstream = rawUpstream((request) => {
    const useless = new Response("id: c1\nretry: 1\ndata:\n\n", {
      headers: { "content-type": "text/event-stream" },
    });
    if (request.method === "GET" && request.headers.get("last-event-id") === null) {
      return new Response(null, { status: 405 });
    }
    if (request.method === "GET") gets++;
    return request.method === "GET" || isPost(request, "tools/call")
      ? useless
      : rpcResult(request, plainInitialize);
  });
  await using pump = startPump(upstream.url);
  await shakeHands(pump);

  const { error } = await pump.ask(call("c"));

  assert.equal(error.code, -31004);
  assert.equal(gets, 5);
});

Deno.test("an own stream that ends at once is opened less and less often, whatever the upstream asks for", async () => {
  const { clock, waitsMs } = impatientClock();
  await using upstream = rawUpstream((request) =>
    request.method === "GET"
      ? new Response("retry: 0\n\n", { headers: { "content-type": "text/event-stream" } })
      : rpcResult(request, plainInitialize)
  );
  await using pump = startPump(upstream.url, { clock });
  await shakeHands(pump);
  while (upstream.requests.filter(({ method }) => method === "GET").length < 15) {
    await new Promise((go) => setTimeout(go, 5));
  }

  assert.deepEqual(waitsMs.slice(waitsMs.indexOf(100)).filter((ms) => ms !== 5_000).slice(0, 11), [
    ...[100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000],
  ]);
});

Deno.test("the upstream's own stream is opened again where it ended", async () => {
  const streams: ReturnType<typeof eventStream>[] = [];
  await using upstream = rawUpstream((request) => {
    if (request.method !== "GET") return rpcResult(request, plainInitialize);
    const stream = eventStream();
    streams.push(stream);
    stream.write("retry: 10\n\n");
    return stream.response;
  });
  await using pump = startPump(upstream.url);
  await shakeHands(pump);
  await upstream.request(({ method }) => method === "GET");
  streams[0]?.event({ jsonrpc: "2.0", method: "notifications/one" }, "n1");
  await pump.find((message) => message.method === "notifications/one");

  streams[0]?.end();
  const again = await upstream.request(({ headers }) => headers.get("last-event-id") === "n1");
  streams[1]?.event({ jsonrpc: "2.0", method: "notifications/two" }, "n2");

  await pump.find((message) => message.method === "notifications/two");
  assert.equal(again.headers.get("accept"), "text/event-stream");
});

Deno.test("the upstream's own stream comes back with a new session after a restart, without a request of the host", async () => {
  await using upstream = startUpstream();
  await using pump = startPump(upstream.url);
  await shakeHands(pump);
  await pump.ask({ jsonrpc: "2.0", id: "sub", method: "resources/subscribe", params: { uri: "note://one" } });
  while (!upstream.received.some(({ method }) => method === "GET")) {
    await new Promise((go) => setTimeout(go, 5));
  }
  await upstream.down();
  await upstream.up();

  while (upstream.received.filter(({ rpcMethod }) => rpcMethod === "resources/subscribe").length < 2) {
    await new Promise((go) => setTimeout(go, 20));
  }
  await upstream.toolsChanged();

  await pump.find((message) => message.method === "notifications/tools/list_changed");
  assert.equal(upstream.sessions.size, 1);
});

Deno.test("after the machine slept the upstream's own stream is opened anew", async () => {
  await using upstream = rawUpstream((request) => {
    if (request.method !== "GET") return rpcResult(request, plainInitialize);
    return eventStream().response;
  });
  await using pump = startPump(upstream.url);
  await shakeHands(pump);
  const first = await upstream.request(({ method }) => method === "GET");
  const closed = new Promise((resolve) => first.signal.addEventListener("abort", resolve));

  pump.pump.upstream.wake();

  await closed;
  await upstream.request((request) => request.method === "GET" && request !== first);
});

Deno.test("requests and notifications that no revision defines pass from the upstream, on either stream, and their answers go up", async () => {
  const own = eventStream();
  const ofCall = eventStream();
  await using upstream = rawUpstream((request) => {
    if (request.method === "GET") return own.response;
    if (isPost(request, "tools/call")) return ofCall.response;
    return rpcResult(request, plainInitialize);
  });
  await using pump = startPump(upstream.url);
  // The host's answers use the ids of the upstream's requests, which may be those of its own.
  pump.onMessage = (message) => {
    if (message.method === "custom/ask") {
      pump.send({ jsonrpc: "2.0", id: message.id, result: { to: message.id } });
    }
  };
  await shakeHands(pump);
  await upstream.request(({ method }) => method === "GET");
  pump.send(call(1));
  await upstream.request((request) => isPost(request, "tools/call"));

  own.event({ jsonrpc: "2.0", id: "g", method: "custom/ask" });
  ofCall.event({ jsonrpc: "2.0", id: 1, method: "custom/ask", params: { x: 1 } });
  ofCall.event({ jsonrpc: "2.0", method: "custom/note", params: [1] });
  await upstream.request(({ rpc }) => rpc?.result?.to === "g");
  await upstream.request(({ rpc }) => rpc?.result?.to === 1);
  ofCall.event({ jsonrpc: "2.0", id: 1, result: { done: true } });

  assert.deepEqual((await pump.find(({ id, result }) => id === 1 && result !== undefined)).result, {
    done: true,
  });
  assert.ok(pump.lines.some((line) => line.includes("custom/note")));
});
