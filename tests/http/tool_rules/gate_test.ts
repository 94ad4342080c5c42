import assert from "node:assert/strict";
import { parseToolRules } from "../../../lib/http/tool_rules/rules.ts";
import { caller, NamedInbound, startFront } from "../support.ts";

const tools = ["read_file", "drop_table", "write"].map((name) => ({ name, inputSchema: { type: "object" } }));
const rules = parseToolRules("deny drop_*; allow read_*; allow * to group:ops");

/** The front with rules before an upstream that lists tools and says what it was asked. */
async function started(answer?: (request: Request, text: string) => Response) {
  const seen: string[] = [];
  const inbound = new NamedInbound("eve");
  inbound.callers.set("olga", caller("olga", { groups: ["ops"] }));
  const front = await startFront({
    inbound,
    settings: { toolRules: rules },
    async upstream(request) {
      const text = await request.text();
      if (request.method === "POST") seen.push(text);
      return answer?.(request, text) ??
        Response.json({ jsonrpc: "2.0", id: 1, result: { tools, nextCursor: 9007199254740993 } });
    },
  });
  const post = (who: string, body: BodyInit, headers: Record<string, string> = {}) =>
    fetch(front.url, {
      method: "POST",
      headers: { authorization: `Bearer ${who}`, "content-type": "application/json", ...headers },
      body,
    });
  return { ...front, front, seen, post, [Symbol.asyncDispose]: () => front[Symbol.asyncDispose]() };
}

function call(name: string, id: unknown = 1): string {
  return JSON.stringify({ jsonrpc: "2.0", id, method: "tools/call", params: { name, arguments: {} } });
}

const list = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';

Deno.test("a call that a rule denies is answered with its own id and never reaches the upstream", async () => {
  await using door = await started();

  for (const [who, tool] of [["eve", "write"], ["eve", "drop_table"], ["olga", "drop_table"]] as const) {
    const response = await door.post(who, call(tool, 'a"1'));
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), {
      jsonrpc: "2.0",
      id: 'a"1',
      error: { code: -32602, message: "The tool is not available to you" },
    });
  }
  assert.deepEqual(door.seen, []);
  for (const [who, tool] of [["eve", "read_file"], ["olga", "write"]] as const) {
    await (await door.post(who, call(tool))).body?.cancel();
  }
  assert.deepEqual(door.seen, [call("read_file"), call("write")]);
});

Deno.test("a batch with one denied call is denied as a whole, each request with its id", async () => {
  await using door = await started();
  const response = await door.post(
    "eve",
    `[${call("read_file", 1)},${call("write", 2)},{"jsonrpc":"2.0","method":"x"}]`,
  );

  assert.deepEqual((await response.json()).map(({ id }: { id: unknown }) => id), [1, 2]);
  assert.deepEqual(door.seen, []);
});

Deno.test("a message that could be read in two ways, or is none, is refused", async () => {
  await using door = await started();
  const bodies = [
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_file","name":"write"}}',
    '{"jsonrpc":"2.0","id":1,"method":"tools/list","Method":"tools/call","params":{"name":"write"}}',
    "not json",
    "",
  ];
  for (const body of bodies) {
    const response = await door.post("eve", body);
    assert.equal(response.status, 400, body);
    assert.equal((await response.json()).error.code, -32600);
  }
  const zipped = new Response(new Blob([call("write")]).stream().pipeThrough(new CompressionStream("gzip")));
  const response = await door.post("eve", await zipped.bytes(), { "content-encoding": "gzip" });
  assert.equal(response.status, 400);
  await response.body?.cancel();
  assert.deepEqual(door.seen, []);
});

Deno.test("headers that name another call than the message does are refused", async () => {
  await using door = await started();
  const lies = [
    { "mcp-method": "tools/call", "mcp-name": "write" },
    { "mcp-method": "tools/list" },
    { "mcp-name": "=?base64?d3JpdGU=?=" },
    { "mcp-name": "=?base64?!?=" },
  ];
  for (const headers of lies) {
    const response = await door.post("eve", call("read_file"), headers as Record<string, string>);
    assert.equal(response.status, 400, Deno.inspect(headers));
    assert.equal((await response.json()).error.code, -32020);
  }
  assert.deepEqual(door.seen, []);
  const true1 = { "mcp-method": "tools/call", "mcp-name": "read_file" };
  const true2 = { "mcp-name": `=?base64?${btoa("read_file")}?=` };
  for (const headers of [true1, true2]) {
    const response = await door.post("eve", call("read_file"), headers);
    assert.equal(response.status, 200);
    await response.body?.cancel();
  }
});

Deno.test("a large call is judged too", async () => {
  await using door = await started();
  const params = { name: "write", arguments: { text: "x".repeat(3_000_000) } };
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params });

  const response = await door.post("eve", body);
  assert.equal((await response.json()).error.code, -32602);
  assert.deepEqual(door.seen, []);
  const good = await door.post("olga", body);
  await good.body?.cancel();
  assert.deepEqual(door.seen.map(({ length }) => length), [body.length]);
});

Deno.test("what may not be called is not listed, as JSON", async () => {
  await using door = await started();
  const names = async (who: string) =>
    (await (await door.post(who, list)).json()).result.tools.map(({ name }: { name: string }) => name);

  assert.deepEqual(await names("eve"), ["read_file"]);
  assert.deepEqual(await names("olga"), ["read_file", "write"]);
});

Deno.test("what may not be called is not listed, as events however they are cut, nor on the GET stream", async () => {
  const event = `id: 7\nevent: message\ndata: ${
    JSON.stringify({ jsonrpc: "2.0", id: 1, result: { tools } })
  }\n\n`;
  const events = `: hello\n\ndata: {"jsonrpc":"2.0","method":"notifications/message"}\n\n${event}`;
  await using door = await started(() => {
    const bytes = new TextEncoder().encode(events);
    const pieces = ReadableStream.from(
      Array.from({ length: Math.ceil(bytes.length / 7) }, (_, at) => bytes.slice(at * 7, at * 7 + 7)),
    );
    return new Response(pieces, { headers: { "content-type": "text/event-stream" } });
  });

  for (const who of ["eve", "olga"]) {
    const posted = await (await door.post(who, list)).text();
    const got = await (await fetch(door.url, {
      headers: { authorization: `Bearer ${who}`, accept: "text/event-stream" },
    })).text();
    for (const text of [posted, got]) {
      assert.match(text, /^: hello\n\ndata: \{"jsonrpc":"2\.0","method":"notifications\/message"\}\n\n/);
      assert.match(text, /id: 7\nevent: message\ndata: /);
      assert.match(text, /read_file/);
      assert.equal(/"write"/.test(text), who === "olga");
      assert.doesNotMatch(text, /drop_table/);
    }
  }
});

Deno.test("an answer that hides nothing passes byte for byte, as do all other answers", async () => {
  const text =
    '{ "jsonrpc":"2.0", "id":1, "result": {"tools":[{"name":"read_file"}], "big": 12345678901234567890} }';
  await using door = await started((_, body) =>
    new Response(body.includes("tools/list") ? text : '{"id":1,"result":{"tools":[{"name":"write"}]}}', {
      headers: { "content-type": "application/json" },
    })
  );

  assert.equal(await (await door.post("eve", list)).text(), text);
  assert.match(await (await door.post("eve", '{"jsonrpc":"2.0","id":1,"method":"other"}')).text(), /"write"/);
});
