import assert from "node:assert/strict";
import type { UpstreamConfig } from "../../../lib/upstream/config.ts";
import { StdioChildUpstream } from "../../../lib/upstream/stdio_child/upstream.ts";
import { headerOf, type UpstreamResponse } from "../../../lib/upstream/upstream.ts";
import { fakeClock } from "../../fakes/clock.ts";
import { heardLog } from "../../support/watched_log.ts";

const child = new URL("./raw_child.ts", import.meta.url).pathname;
type Config = Extract<UpstreamConfig, { kind: "spawn_stdio" }>;

/** An upstream of raw children, and what it logged. */
function start(more: Partial<Config> = {}) {
  const events: string[] = [];
  const note = (event: string) => void events.push(event);
  const log = heardLog({ debug: note, info: note, warn: note });
  const clock = fakeClock();
  const upstream = new StdioChildUpstream({
    kind: "spawn_stdio",
    command: [Deno.execPath(), "run", "-A", "--no-lock", "--no-config", child],
    maxSessions: 3,
    idleMs: 60_000,
    maxLineLength: 1_000_000,
    withheldVariables: ["DOORMAN_TEST_SECRET"],
    ...more,
  }, { log, clock });
  const send = (method: string, session: string | undefined, body?: unknown) =>
    upstream.forward({
      method,
      suffix: "",
      headers: session === undefined ? [] : [["mcp-session-id", session]],
      body: body === undefined
        ? null
        : new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body)),
      clientGone: () => new AbortController().signal,
    });
  const post = (session: string | undefined, body: unknown) => send("POST", session, body);
  return {
    upstream,
    events,
    clock,
    send,
    post,
    ask: async (session: string, method: string, id: number) =>
      await messagesOf(await post(session, { jsonrpc: "2.0", id, method })),
    async begin(): Promise<{ session: string; pid: number }> {
      const response = await post(undefined, { jsonrpc: "2.0", id: 0, method: "initialize" });
      assert.equal(response.status, 200);
      const [message] = await messagesOf(response);
      return { session: headerOf(response.headers, "mcp-session-id") ?? "", pid: message.result.pid };
    },
    [Symbol.asyncDispose]: () => upstream[Symbol.asyncDispose](),
  };
}

async function textOf({ body }: UpstreamResponse): Promise<string> {
  return await new Response(body).text();
}

// deno-lint-ignore no-explicit-any -- messages of any shape
async function messagesOf(response: UpstreamResponse): Promise<any[]> {
  return (await textOf(response)).split("\n\n").filter((event) => event !== "").map((event) =>
    JSON.parse(event.replace(/^event: message\ndata: /, ""))
  );
}

Deno.test("each session has a child of its own, which ends with it", async () => {
  await using door = start();
  const one = await door.begin();
  const two = await door.begin();

  assert.notEqual(one.pid, two.pid);
  assert.deepEqual(await door.ask(one.session, "hello", 1), [{ jsonrpc: "2.0", id: 1, result: "hello" }]);
  const gone = await door.send("DELETE", one.session);
  assert.equal(gone.status, 200);
  const after = await door.post(one.session, { jsonrpc: "2.0", id: 2, method: "hello" });
  assert.equal(after.status, 404);
  assert.ok(door.events.includes("upstream_ended"));
  assert.deepEqual(await door.ask(two.session, "hello", 1), [{ jsonrpc: "2.0", id: 1, result: "hello" }]);
});

Deno.test("messages pass as they are, on one line", async () => {
  await using door = start();
  const { session } = await door.begin();
  const pretty =
    '{\n  "jsonrpc": "2.0",\r\n  "id": 5,\n  "method": "raw", "params": {"n": 12345678901234567890}\n}';

  const text = await textOf(await door.post(session, pretty));
  assert.match(
    text,
    /^event: message\ndata: \{ "jsonrpc":"2\.0", "id":5, "result": \{"big": 12345678901234567890, /,
  );
  const { line } = JSON.parse(text.split("data: ")[1] ?? "").result;
  assert.equal(line, pretty.replaceAll(/[\r\n]+/g, " "));
});

Deno.test("requests without a session, of unknown sessions and of no sense are refused", async () => {
  await using door = start();
  const { session } = await door.begin();
  const status = async (method: string, of: string | undefined, body?: unknown) =>
    (await door.send(method, of, body)).status;

  assert.equal(await status("POST", undefined, { jsonrpc: "2.0", id: 1, method: "tools/list" }), 400);
  assert.equal(await status("POST", "nobody", { jsonrpc: "2.0", id: 1, method: "tools/list" }), 404);
  assert.equal(await status("GET", undefined), 400);
  assert.equal(await status("GET", "nobody"), 404);
  assert.equal(await status("DELETE", undefined), 400);
  assert.equal(await status("PUT", session, {}), 405);
  for (const bad of ["", "{", "1", "[]", "[1]"]) assert.equal(await status("POST", session, bad), 400, bad);
  const below = await door.upstream.forward({
    method: "POST",
    suffix: "/admin",
    headers: [["mcp-session-id", session]],
    body: new TextEncoder().encode("{}"),
    clientGone: () => new AbortController().signal,
  });
  assert.equal(below.status, 404);
});

Deno.test("notifications and answers of the client are taken without an answer", async () => {
  await using door = start();
  const { session } = await door.begin();

  for (const body of [{ jsonrpc: "2.0", method: "silent" }, { jsonrpc: "2.0", id: 1, result: {} }]) {
    const response = await door.post(session, body);
    assert.deepEqual([response.status, response.body], [202, null]);
  }
});

Deno.test("a batch has its answers on one stream", async () => {
  await using door = start();
  const { session } = await door.begin();
  const batch = [1, 2].map((id) => ({ jsonrpc: "2.0", id, method: "x" }));

  const [answer] = await messagesOf(await door.post(session, batch));
  assert.deepEqual(answer.map(({ id }: { id: number }) => id), [1, 2]);
});

Deno.test("what belongs to no request goes to the GET stream, and is kept until there is one", async () => {
  await using door = start();
  const { session } = await door.begin();
  const changed = { jsonrpc: "2.0", method: "notifications/tools/list_changed" };

  assert.equal((await door.ask(session, "announce", 1)).length, 2, "on the waiting request's stream");
  const stream = await door.send("GET", session);
  assert.equal((await door.ask(session, "announce", 2)).length, 1);
  assert.ok(stream.body instanceof ReadableStream);
  const reader = stream.body.getReader();
  const { value } = await reader.read();
  assert.deepEqual(JSON.parse(new TextDecoder().decode(value).split("data: ")[1] ?? ""), changed);
  await reader.cancel();
});

Deno.test("when the child dies, who waits gets an error with the own id, and the session is over", async () => {
  await using door = start();
  const { session } = await door.begin();
  const waiting = await door.post(session, { jsonrpc: "2.0", id: 41, method: "silent" });
  const killing = await door.post(session, { jsonrpc: "2.0", id: "forty-two", method: "die" });

  const [first] = await messagesOf(waiting);
  const [second] = await messagesOf(killing);
  assert.deepEqual([first.id, first.error.code], [41, -32000]);
  assert.deepEqual([second.id, second.error.code], ["forty-two", -32000]);
  assert.equal((await door.post(session, { jsonrpc: "2.0", id: 1, method: "x" })).status, 404);
  const next = await door.begin();
  assert.notEqual(next.session, session);
});

Deno.test("an answer that nobody waits for any more harms nobody", async () => {
  await using door = start();
  const { session } = await door.begin();
  const left = await door.post(session, { jsonrpc: "2.0", id: 1, method: "hold" });
  if (left.body instanceof ReadableStream) await left.body.cancel();

  assert.deepEqual(await door.ask(session, "release", 2), [{ jsonrpc: "2.0", id: 2, result: "released" }]);
  assert.deepEqual(await door.ask(session, "hello", 3), [{ jsonrpc: "2.0", id: 3, result: "hello" }]);
});

Deno.test("a request without a body is refused", async () => {
  await using door = start();
  const { session } = await door.begin();

  assert.equal((await door.send("POST", session)).status, 400);
});

Deno.test("output that is no message is logged and harms nobody; a line without end ends the child", async () => {
  await using door = start();
  const { session } = await door.begin();

  assert.deepEqual((await door.ask(session, "garbage", 1)).at(-1)?.result, "after garbage");
  assert.ok(door.events.includes("upstream_output_unusable"));
  const [failed] = await door.ask(session, "long", 2);
  assert.deepEqual([failed.id, failed.error.code], [2, -32000]);
});

Deno.test("no more children than allowed, and the id of a request that is under way is taken", async () => {
  await using door = start({ maxSessions: 1 });
  const { session } = await door.begin();

  const refused = await door.post(undefined, { jsonrpc: "2.0", id: 9, method: "initialize" });
  assert.equal(refused.status, 503);
  assert.equal(headerOf(refused.headers, "retry-after"), "30");
  assert.equal(JSON.parse(await textOf(refused)).id, 9);
  const first = await door.post(session, { jsonrpc: "2.0", id: 1, method: "silent" });
  const again = await door.post(session, { jsonrpc: "2.0", id: 1, method: "silent" });
  assert.deepEqual([first.status, again.status], [200, 400]);
  await door.send("DELETE", session);
  assert.notEqual((await door.begin()).session, session);
});

Deno.test("a session that nobody uses is ended after its time, one that somebody listens to is not", async () => {
  await using door = start();
  const idle = await door.begin();
  const used = await door.begin();
  const stream = await door.send("GET", used.session);
  for (let at = 0; at < 5; at++) await door.clock.advance(15_000);

  assert.equal((await door.post(idle.session, { jsonrpc: "2.0", id: 1, method: "x" })).status, 404);
  assert.equal((await door.post(used.session, { jsonrpc: "2.0", id: 1, method: "x" })).status, 200);
  if (stream.body instanceof ReadableStream) await stream.body.cancel();
});

Deno.test("the child gets our environment without our secrets", async () => {
  Deno.env.set("DOORMAN_TEST_SECRET", "canary");
  Deno.env.set("DOORMAN_TEST_PLAIN", "seen");
  try {
    await using door = start();
    const { session } = await door.begin();
    const [{ result }] = await door.ask(session, "env", 1);
    assert.equal(result.DOORMAN_TEST_SECRET, undefined);
    assert.equal(result.DOORMAN_TEST_PLAIN, "seen");
  } finally {
    Deno.env.delete("DOORMAN_TEST_SECRET");
    Deno.env.delete("DOORMAN_TEST_PLAIN");
  }
});

Deno.test("a client that reads slowly slows the child down, and gets everything", async () => {
  await using door = start();
  const { session } = await door.begin();
  const response = await door.post(session, { jsonrpc: "2.0", id: 1, method: "flood" });
  assert.ok(response.body instanceof ReadableStream);

  let bytes = 0;
  for await (const piece of response.body) bytes += piece.byteLength;
  assert.ok(bytes > 200 * 100_000, String(bytes));
});

Deno.test("a command that is not there is an upstream that cannot be reached", async () => {
  await using door = start({ command: ["/does/not/exist"] });

  await assert.rejects(door.post(undefined, { jsonrpc: "2.0", id: 1, method: "initialize" }), {
    name: "UpstreamError",
    failure: "unreachable",
  });
});
