import assert from "node:assert/strict";
import { startFront } from "./support.ts";

const identity = {
  name: "Front",
  version: "9",
  instructions: "Ask nicely",
  websiteUrl: "https://front.example",
};
const bearer = { authorization: "Bearer alice" };
const info = { name: "inner", title: "Inner", version: "1", icons: [{ src: "x" }] };

function message(method: string) {
  return JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: {} });
}

async function ask(url: string, body: string) {
  const response = await fetch(url, { method: "POST", headers: bearer, body });
  return { text: await response.text(), length: response.headers.get("content-length") };
}

const expected = {
  protocolVersion: "2025-06-18",
  capabilities: { x: {} },
  serverInfo: { ...info, name: "Front", title: "Front", version: "9", websiteUrl: "https://front.example" },
  instructions: "Ask nicely",
};

Deno.test("the answers that introduce the server carry the configured identity, and nothing else of them changes", async () => {
  const result = {
    protocolVersion: "2025-06-18",
    capabilities: { x: {} },
    serverInfo: info,
    instructions: "inner",
  };
  for (const method of ["initialize", "server/discover"]) {
    await using front = await startFront({
      settings: { identity },
      upstream: () => Response.json({ jsonrpc: "2.0", id: 1, result }),
    });

    const { text, length } = await ask(front.url, message(method));

    assert.deepEqual(JSON.parse(text), { jsonrpc: "2.0", id: 1, result: expected });
    assert.equal(length, String(new TextEncoder().encode(text).length));
  }
});

Deno.test("as events they are rewritten too, whatever the chunks, and the other events pass byte for byte", async () => {
  const result = { protocolVersion: "2025-06-18", capabilities: { x: {} }, serverInfo: info };
  const answer = JSON.stringify({ jsonrpc: "2.0", id: 1, result }).replace(',"result"', ',\ndata: "result"');
  const before =
    ': hé\r\n\r\nid: 0\r\ndata:\r\nretry: 5\r\n\r\nevent: message\ndata: {"method":"notifications/x",  "n":1}\n\n';
  const after = 'id: 2\ndata: {"jsonrpc":"2.0","id":9,"result":{"serverInfo":{"name":"kept"}}}\n\n: end';
  const bytes = new TextEncoder().encode(`${before}id: 1\nevent: message\ndata: ${answer}\n\n${after}`);
  for (const size of [1, 7, 10_000]) {
    const chunks = Array.from(
      { length: Math.ceil(bytes.length / size) },
      (_, at) => bytes.slice(at * size, (at + 1) * size),
    );
    await using front = await startFront({
      settings: { identity },
      upstream: () =>
        new Response(ReadableStream.from(chunks), { headers: { "content-type": "text/event-stream" } }),
    });

    const { text } = await ask(front.url, message("initialize"));

    assert.ok(text.startsWith(before), text);
    assert.ok(text.endsWith(after), text);
    const event = text.slice(before.length, text.length - after.length);
    const data = /^id: 1\nevent: message\ndata: (.*)\n\n$/.exec(event)?.[1] ?? "null";
    assert.deepEqual(JSON.parse(data), { jsonrpc: "2.0", id: 1, result: expected });
  }
});

Deno.test("every other answer stays as it came, also one that looks like an introduction", async () => {
  const odd =
    '{ "jsonrpc":"2.0","id":1,  "result":{"serverInfo":{"name":"inner"},"big":12345678901234567890}}';
  await using front = await startFront({
    settings: { identity },
    upstream: () => new Response(odd, { headers: { "content-type": "application/json" } }),
  });

  assert.equal((await ask(front.url, message("tools/call"))).text, odd);
  assert.equal((await ask(front.url, `[${message("initialize")}]`)).text, odd);
});

Deno.test("an introduction that is no JSON, or an error, stays as it came", async () => {
  for (const body of ["<html>", '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}', "[]", "null"]) {
    await using front = await startFront({ settings: { identity }, upstream: () => new Response(body) });
    assert.equal((await ask(front.url, message("initialize"))).text, body);
  }
});

Deno.test("what is not configured stays the upstream's", async () => {
  const result = { serverInfo: info, instructions: "inner" };
  await using front = await startFront({
    settings: { identity: { version: "9" } },
    upstream: () => Response.json({ id: 1, result }),
  });

  const { text } = await ask(front.url, message("initialize"));

  assert.deepEqual(JSON.parse(text).result, { serverInfo: { ...info, version: "9" }, instructions: "inner" });
});
