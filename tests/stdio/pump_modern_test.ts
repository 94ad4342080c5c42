import assert from "node:assert/strict";
import { startUpstream } from "../fakes/upstream.ts";
import { startPump } from "../support/pump.ts";
import { eventStream, type RawRequest, rawUpstream, rpcResult } from "../support/raw_upstream.ts";

const version = "2026-07-28";
const _meta = {
  "io.modelcontextprotocol/protocolVersion": version,
  "io.modelcontextprotocol/clientCapabilities": {},
  "io.modelcontextprotocol/clientInfo": { name: "host", version: "1" },
};
const ask = (id: unknown, method: string, params: Record<string, unknown> = {}) => ({
  jsonrpc: "2.0",
  id,
  method,
  params: { _meta, ...params },
});
const call = (id: unknown, args: unknown, name = "move") => ask(id, "tools/call", { name, arguments: args });

const schema = (properties: unknown) => ({ type: "object", properties });
const tool = (name: string, properties: unknown) => ({ name, inputSchema: schema(properties) });
const annotated = (type: string, header: unknown) => ({ type, "x-mcp-header": header });

Deno.test("each message says in its headers what it is, and there is no session", async () => {
  await using upstream = startUpstream({ eras: "modern" });
  {
    await using pump = startPump(upstream.url);

    const found = await pump.ask(ask(1, "server/discover"));
    await pump.ask(ask(2, "tools/call", { name: "echo", arguments: { text: "said to the tool alone" } }));
    await pump.ask(ask(3, "resources/read", { uri: "note://one" }));
    await pump.ask(ask(4, "prompts/get", { name: "greet", arguments: { name: "x" } }));

    assert.ok(found.result.supportedVersions.includes(version));
    const seen = upstream.received.map(({ headers, method }) => [
      method,
      headers.get("mcp-protocol-version"),
      headers.get("mcp-method"),
      headers.get("mcp-name"),
      headers.get("mcp-session-id"),
    ]);
    assert.deepEqual(seen, [
      ["POST", version, "server/discover", null, null],
      ["POST", version, "tools/call", "echo", null],
      ["POST", version, "resources/read", "note://one", null],
      ["POST", version, "prompts/get", "greet", null],
    ]);
  }
  assert.equal(upstream.received.length, 4);
});

Deno.test("a name that is not safe in a header goes in base64, a task is named by its id", async () => {
  await using upstream = rawUpstream((request) => rpcResult(request, {}));
  await using pump = startPump(upstream.url);
  const names = ["plain", " padded", "naïve", "", "=?base64?eA==?=", "a\tb", "line\nbreak"];

  for (const [id, name] of names.entries()) await pump.ask(ask(id, "tools/call", { name, arguments: {} }));
  await pump.ask(ask("t", "tasks/get", { taskId: "task-1" }));

  const base64 = (text: string) =>
    `=?base64?${btoa(String.fromCharCode(...new TextEncoder().encode(text)))}?=`;
  assert.deepEqual(upstream.requests.map(({ headers }) => headers.get("mcp-name")), [
    "plain",
    base64(" padded"),
    base64("naïve"),
    base64(""),
    base64("=?base64?eA==?="),
    "a\tb",
    base64("line\nbreak"),
    "task-1",
  ]);
});

Deno.test("arguments that a tool asks for are repeated in headers", async () => {
  const tools = [tool("move", {
    region: annotated("string", "Region"),
    count: annotated("integer", "Count"),
    dry: annotated("boolean", "Dry"),
    deep: schema({ down: annotated("string", "Deep") }),
    plain: { type: "string" },
  })];
  await using upstream = rawUpstream((request) =>
    rpcResult(request, request.rpc.method === "tools/list" ? { tools } : {})
  );
  await using pump = startPump(upstream.url);
  await pump.ask(ask("list", "tools/list"));

  await pump.ask(call(1, { region: "eu wést", count: 7, dry: false, deep: { down: "x" }, plain: "no" }));
  await pump.ask(call(2, { region: null, count: 2 ** 60 }));

  const params = upstream.requests.slice(1).map(({ headers }) =>
    [...headers].filter(([name]) => name.startsWith("mcp-param-"))
  );
  assert.deepEqual(params, [
    [["mcp-param-count", "7"], ["mcp-param-deep", "x"], ["mcp-param-dry", "false"], [
      "mcp-param-region",
      "=?base64?ZXUgd8Opc3Q=?=",
    ]],
    [],
  ]);
});

Deno.test("a tool whose annotations break the rules is left out of the list, and nothing else of it changes", async () => {
  const bad = {
    spaces: { a: annotated("string", "not a token") },
    empty: { a: annotated("string", "") },
    number: { a: annotated("number", "N") },
    object: { a: annotated("object", "O") },
    twice: { a: annotated("string", "Same"), b: annotated("string", "same") },
    items: { a: { type: "array", items: annotated("string", "I") } },
    choice: { a: { oneOf: [annotated("string", "C")] } },
    wrong: { a: annotated("string", 5) },
  };
  const good = [
    tool("first", { a: annotated("string", "A") }),
    tool("last", { default: { type: "string", default: { "x-mcp-header": 1 } } }),
  ];
  const tools = [
    good[0],
    ...Object.entries(bad).map(([name, properties]) => tool(name, properties)),
    good[1],
  ];
  await using upstream = rawUpstream((request) => rpcResult(request, { tools, ttlMs: 5, more: [1] }));
  await using pump = startPump(upstream.url);

  const { result } = await pump.ask(ask(1, "tools/list"));

  assert.deepEqual(result, { tools: good, ttlMs: 5, more: [1] });
  const warnings = pump.log.lines.map((line) => JSON.parse(line)).filter(({ msg }) =>
    msg === "tool_left_out"
  );
  assert.deepEqual(warnings.map(({ level, rpcTool }) => `${level} ${rpcTool}`), [
    ...Object.keys(bad).map((name) => `warn ${name}`),
  ]);
});

Deno.test("headers that do not fit any more: the list is read again, all pages, and the call is sent once more", async () => {
  let header = "Old";
  const page = (cursor: unknown) =>
    cursor === undefined
      ? { tools: [tool("other", {})], nextCursor: "p2" }
      : { tools: [tool("move", { region: annotated("string", header) })] };
  await using upstream = rawUpstream((request) => {
    if (request.rpc.method === "tools/list") return rpcResult(request, page(request.rpc.params.cursor));
    if (request.headers.has(`mcp-param-${header}`)) return rpcResult(request, { moved: true });
    const error = { code: -32020, message: "Header mismatch" };
    return Response.json({ jsonrpc: "2.0", id: request.rpc.id, error }, { status: 400 });
  });
  await using pump = startPump(upstream.url);
  await pump.ask(ask("list", "tools/list", { cursor: "p2" }));
  header = "New";

  const first = await pump.ask(call(1, { region: "eu" }));
  const hopeless = await pump.ask(call(2, {}));

  assert.deepEqual(first.result, { moved: true });
  assert.equal(hopeless.error.code, -32020);
  const methods = upstream.requests.map(({ rpc }) => rpc.method);
  const list = "tools/list", tools = "tools/call";
  assert.deepEqual(methods, [list, tools, list, list, tools, tools, list, list, tools]);
  assert.equal(pump.lines.length, 3);
});

Deno.test("a cancellation ends the call's stream and is not sent itself", async () => {
  await using upstream = rawUpstream((request) =>
    request.rpc.id === "long" ? eventStream().response : rpcResult(request, {})
  );
  await using pump = startPump(upstream.url);
  pump.send(call("long", {}));
  const long = await upstream.request(({ rpc }) => rpc.id === "long");
  const ended = new Promise((resolve) => long.signal.addEventListener("abort", resolve));

  pump.send('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"long"}}');
  await ended;
  await pump.ask(ask("after", "ping"));

  assert.deepEqual(pump.lines.map((line) => JSON.parse(line).id), ["after"]);
  assert.deepEqual(upstream.requests.map(({ rpc }) => rpc.id), ["long", "after"]);
});

Deno.test("a stream that breaks before the answer gives an error and is not resumed", async () => {
  await using upstream = rawUpstream((request) => {
    if (request.method === "GET") return new Response(null, { status: 405 });
    const stream = eventStream();
    stream.write("id: e1\nretry: 1\ndata:\n\n");
    setTimeout(stream.cut, 10);
    return stream.response;
  });
  await using pump = startPump(upstream.url);

  const { error } = await pump.ask(call(1, {}));

  assert.equal(error.code, -31004);
  assert.deepEqual(upstream.requests.map(({ method }) => method), ["POST"]);
});

Deno.test("a subscription that breaks is asked for again with its id, and confirmed to the host once", async () => {
  const streams: ReturnType<typeof eventStream>[] = [];
  const confirm = { jsonrpc: "2.0", method: "notifications/subscriptions/acknowledged", params: {} };
  await using upstream = rawUpstream((request) => {
    const stream = eventStream();
    streams.push(stream);
    stream.event(confirm);
    if (streams.length > 1) stream.event({ jsonrpc: "2.0", method: "notifications/tools/list_changed" });
    return request.rpc.method === "subscriptions/listen" ? stream.response : rpcResult(request, {});
  });
  await using pump = startPump(upstream.url);
  pump.send(ask("sub", "subscriptions/listen", { notifications: { toolsListChanged: true } }));
  await pump.find((message) => message.method === confirm.method);

  streams[0]?.cut();
  await pump.find((message) => message.method === "notifications/tools/list_changed");
  streams[1]?.event({ jsonrpc: "2.0", id: "sub", result: {} });

  assert.deepEqual((await pump.answer("sub")).result, {});
  assert.equal(pump.lines.length, 3);
  const bodies = upstream.requests.map(({ text }) => text);
  assert.equal(bodies.length, 2);
  assert.equal(bodies[0], bodies[1]);
});

Deno.test("a refused subscription is answered with the refusal, a cancelled one with nothing", async () => {
  await using upstream = rawUpstream((request) =>
    request.rpc.id === "no"
      ? Response.json({ jsonrpc: "2.0", id: "no", error: { code: -32601, message: "unknown" } }, {
        status: 404,
      })
      : eventStream().response
  );
  await using pump = startPump(upstream.url);

  const { error } = await pump.ask(ask("no", "subscriptions/listen"));
  pump.send(ask("yes", "subscriptions/listen"));
  const listening = await upstream.request(({ rpc }) => rpc.id === "yes");
  const ended = new Promise((resolve) => listening.signal.addEventListener("abort", resolve));
  pump.send('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"yes"}}');
  await ended;

  assert.equal(error.code, -32601);
  assert.equal(pump.lines.length, 1);
});

Deno.test("an upstream of the session revisions makes a modern host fall back", async () => {
  const noSession = (request: RawRequest) =>
    request.rpc.method === "initialize"
      ? rpcResult(request, {
        protocolVersion: "2025-11-25",
        capabilities: {},
        serverInfo: { name: "x", version: "1" },
      })
      : new Response("Bad Request: Server not initialized", { status: 400 });
  await using upstream = rawUpstream(noSession);
  await using pump = startPump(upstream.url);

  const { error } = await pump.ask(ask("probe", "server/discover"));
  const hello = await pump.ask({
    jsonrpc: "2.0",
    id: 0,
    method: "initialize",
    params: { protocolVersion: "2025-11-25" },
  });

  assert.ok(
    error.code > -32000,
    "outside of the reserved codes, which hosts take for the upstream's own word",
  );
  assert.equal(error.data.httpStatus, 400);
  assert.equal(hello.result.protocolVersion, "2025-11-25");
});
