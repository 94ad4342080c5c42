import assert from "node:assert/strict";
import fc from "fast-check";
import { EventReader } from "../../lib/stdio/events.ts";
import { readLines } from "../../lib/stdio/lines.ts";
import { lineWriter } from "../../lib/stdio/stdout.ts";
import { startPump } from "../support/pump.ts";
import { eventStream, rawUpstream, rpcResult } from "../support/raw_upstream.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Texts that a JSON parser and writer would not give back as they were. */
const curious = [
  '{"jsonrpc":"2.0","id":1,"method":"x","params":{"n":12345678901234567890,"f":1.50,"e":1E+2,"z":-0}}',
  '{"z":1,"a":2,"jsonrpc":"2.0","method":"x","id":2,"a":3,"params":{"k":1,"k":2}}',
  '{"id":3,"jsonrpc":"2.0","method":"x","params":{"lone":"\\ud800","esc":"\\u0041\\/","raw":"é😀"},"extra":[ 1 , 2 ]}',
  '{ "jsonrpc" : "2.0" , "id" : "4" , "method" : "x" , "params" : { "_meta" : { "a/b" : null } } }',
  '{"jsonrpc":"2.0","id":12345678901234567890,"method":"x"}',
  '{"jsonrpc":"2.0","id":"\\u0069d","method":"x","__proto__":{"a":1},"constructor":null}',
];

Deno.test("a message goes up as the bytes that the host wrote", async () => {
  await using upstream = rawUpstream((request) => rpcResult(request, {}));
  await using pump = startPump(upstream.url);

  for (const text of curious) pump.send(text);
  while (pump.lines.length < curious.length) await new Promise((go) => setTimeout(go, 5));

  assert.deepEqual(upstream.requests.map(({ text }) => text).sort(), [...curious].sort());
});

for (const form of ["JSON", "SSE"]) {
  Deno.test(`a message comes down as the bytes that the upstream sent (${form})`, async () => {
    const answers = [
      '{"result":{"n":12345678901234567890,"f":1.50,"k":1,"k":2},"jsonrpc":"2.0","id":0}',
      '{"id":1,"extra":"\\ud800","jsonrpc":"2.0","result":{"é":"\\u00e9","deep":{"__proto__":1}}}',
      '{"error":{"code":-5,"message":"m","data":{"big":98765432109876543210}},"id":2,"jsonrpc":"2.0"}',
    ];
    await using upstream = rawUpstream((request) => {
      const text = answers[request.rpc.id] ?? "";
      if (form === "JSON") {
        return new Response(text, { headers: { "content-type": "application/json; charset=utf-8" } });
      }
      return new Response(`event: message\ndata: ${text}\n\n`, {
        headers: { "content-type": "text/event-stream" },
      });
    });
    await using pump = startPump(upstream.url);

    for (const id of answers.keys()) await pump.ask({ jsonrpc: "2.0", id, method: "x" });

    assert.deepEqual(pump.lines, answers);
  });
}

Deno.test("an answer that is written over several lines leaves on one", async () => {
  const pretty = (id: number) =>
    JSON.stringify({ jsonrpc: "2.0", id, result: { text: "a\nb", list: [1, 2] } }, null, 2);
  await using upstream = rawUpstream((request) => {
    const text = pretty(request.rpc.id);
    if (request.rpc.id === 1) {
      return new Response(text.replaceAll("\n", "\r\n"), { headers: { "content-type": "application/json" } });
    }
    const data = text.split("\n").map((line) => `data: ${line}\n`).join("");
    return new Response(`${data}\n`, { headers: { "content-type": "text/event-stream" } });
  });
  await using pump = startPump(upstream.url);

  for (const id of [1, 2]) {
    assert.deepEqual(await pump.ask({ jsonrpc: "2.0", id, method: "x" }), JSON.parse(pretty(id)));
  }
  assert.equal(pump.lines.length, 2);
});

Deno.test("a message is written only when it is whole", async () => {
  const { response, write } = eventStream();
  await using upstream = rawUpstream((request) =>
    request.rpc.id === "big" ? response : rpcResult(request, {})
  );
  await using pump = startPump(upstream.url);
  pump.send({ jsonrpc: "2.0", id: "big", method: "x" });
  await upstream.request(({ rpc }) => rpc.id === "big");

  write('data: {"jsonrpc":"2.0","id":"big","result":"' + "x".repeat(500_000));
  await pump.ask({ jsonrpc: "2.0", id: "small", method: "x" });
  assert.equal(pump.lines.length, 1);
  write('"}\n\n');

  assert.equal((await pump.answer("big")).result.length, 500_000);
});

Deno.test("what is no message is refused with an error, and the pump lives on", async () => {
  await using upstream = rawUpstream((request) => rpcResult(request, {}));
  await using pump = startPump(upstream.url);
  const lines: [line: string, code: number, id: unknown][] = [
    ["hello", -32700, null],
    ['{"jsonrpc":"2.0","id":1,"method":"x"', -32700, null],
    ["5", -32600, null],
    ["[]", -32600, null],
    ["[1,2]", -32600, null],
    ['{"id":7}', -32600, 7],
  ];

  for (const [line, code, id] of lines) {
    const count = pump.lines.length;
    pump.send(line);
    const answer = await pump.find((message) =>
      pump.lines.length > count && message.error?.code === code && message.id === id
    );
    assert.equal(answer.jsonrpc, "2.0");
  }
  await pump.ask({ jsonrpc: "2.0", id: "after", method: "x" });
  assert.equal(upstream.requests.length, 1);
});

Deno.test("a line over the limit gets an error with its id, wherever the id stands, and the pump lives on", async () => {
  await using upstream = rawUpstream((request) => rpcResult(request, {}));
  await using pump = startPump(upstream.url, { maxLineBytes: 1_000 });
  const long = "x".repeat(200_000);

  pump.send(`{"method":"x","params":{"long":"${long}"},"jsonrpc":"2.0","id":"at the end"}`);
  pump.send(`${long}`);
  const { error } = await pump.answer("at the end");
  await pump.find((message) => message.id === null);
  await pump.ask({ jsonrpc: "2.0", id: 1, method: "x" });

  assert.equal(error.code, -31005);
  assert.match(error.message, /longer than 1000 bytes/);
  assert.equal(upstream.requests.length, 1);
});

Deno.test("blank lines and carriage returns of the host are no messages", async () => {
  await using upstream = rawUpstream((request) => rpcResult(request, {}));
  await using pump = startPump(upstream.url);

  pump.send('\r\n\n   \n{"jsonrpc":"2.0","id":1,"method":"x"}\r');

  await pump.answer(1);
  assert.equal(pump.lines.length, 1);
});

Deno.test("a batch passes as it is, both ways, and each of its requests is answered", async () => {
  let whole = true;
  await using upstream = rawUpstream((request) => {
    const answers = request.rpc.filter((item: { id?: unknown }) => item.id !== undefined)
      .map(({ id }: { id: unknown }) => ({ jsonrpc: "2.0", id, result: {} }));
    return Response.json(whole ? answers : answers.slice(0, 1));
  });
  await using pump = startPump(upstream.url);
  const batch =
    '[{"jsonrpc":"2.0","id":1,"method":"a"}, {"jsonrpc":"2.0","method":"n"},{"jsonrpc":"2.0","id":2,"method":"b"}]';

  pump.send(batch);
  const answer = await pump.find(Array.isArray);
  whole = false;
  pump.send(batch);
  const missing = await pump.find((message) => message.error !== undefined);

  assert.deepEqual(answer.map(({ id }: { id: unknown }) => id), [1, 2]);
  assert.equal(upstream.requests[0]?.text, batch);
  assert.equal(missing.id, 2);
});

Deno.test("a host that asks for too much at a time is told so, and its answers still get through", async () => {
  const held: (() => void)[] = [];
  await using upstream = rawUpstream(async (request) => {
    if (request.rpc.method === "x") await new Promise<void>((go) => held.push(go));
    return rpcResult(request, {});
  });
  await using pump = startPump(upstream.url);

  for (let id = 0; id < 2_001; id++) pump.send({ jsonrpc: "2.0", id, method: "x" });
  const { error } = await pump.answer(2_000, 20_000);
  pump.send({ jsonrpc: "2.0", id: "of the upstream", result: {} });
  await upstream.request(({ rpc }) => rpc.id === "of the upstream");
  while (held.length < 2_000) await new Promise((go) => setTimeout(go, 20));
  for (const go of held) go();

  assert.equal(error.code, -31008);
  await pump.answer(1_999, 20_000);
});

Deno.test("a batch that begins with a cancellation is carried", async () => {
  await using upstream = rawUpstream((request) =>
    Array.isArray(request.rpc)
      ? Response.json([{ jsonrpc: "2.0", id: 1, result: {} }])
      : rpcResult(request, {})
  );
  await using pump = startPump(upstream.url);
  const cancelled = '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":9}}';

  pump.send(`[${cancelled},{"jsonrpc":"2.0","id":1,"method":"a"}]`);

  await pump.find(Array.isArray);
});

Deno.test("cutting into lines does not depend on how the bytes come", async () => {
  const property = fc.asyncProperty(
    fc.array(fc.string({ unit: "binary" }).map((text) => text.replaceAll(/[\n\r]/g, "")), { maxLength: 8 }),
    fc.infiniteStream(fc.integer({ min: 1, max: 20 })),
    async (lines, sizes) => {
      const bytes = encoder.encode(lines.join("\n"));
      let at = 0;
      const source = {
        read(into: Uint8Array) {
          if (at >= bytes.length) return Promise.resolve(null);
          const size = Math.min(sizes.next().value ?? 1, into.length, bytes.length - at);
          into.set(bytes.subarray(at, at + size));
          at += size;
          return Promise.resolve(size);
        },
      };
      const seen: string[] = [];
      for await (const line of readLines(source, 1_000_000)) seen.push(decoder.decode(line.bytes));
      assert.deepEqual(
        seen,
        lines.map((line) => decoder.decode(encoder.encode(line))).filter((line) => !/^[ \t]*$/.test(line)),
      );
    },
  );
  await fc.assert(property, { numRuns: 300 });
});

Deno.test("events are found however the bytes come, with any of the three line ends", () => {
  const stream =
    '\ufeffid: 1\ndata: {"a":\r\ndata:1}\r\n\r\n: comment\revent: x\rdata\r\rretry: 40\ndata: é\n\ndata: cut';
  const expected = [{ id: "1", data: '{"a":\n1}' }, { type: "x", data: "" }, { data: "é" }];
  fc.assert(
    fc.property(fc.infiniteStream(fc.integer({ min: 1, max: 12 })), (sizes) => {
      const bytes = encoder.encode(stream);
      const reader = new EventReader();
      const events = [];
      for (let at = 0; at < bytes.length;) {
        const size = sizes.next().value ?? 1;
        events.push(...reader.push(bytes.slice(at, at + size)));
        at += size;
      }
      const seen = events.map(({ data, ...rest }) => ({
        ...rest,
        data: data.map((part) => decoder.decode(part, { stream: true })).join(""),
      }));
      assert.deepEqual(seen, expected);
      assert.deepEqual(reader.hints, { lastEventId: "1", retryMs: 40 });
    }),
    { numRuns: 300 },
  );
});

Deno.test("lines are written whole and in order to a host that takes a byte at a time", async () => {
  let text = "";
  const out = lineWriter({
    write(bytes) {
      text += decoder.decode(bytes.subarray(0, 1));
      return Promise.resolve(1);
    },
  });

  const writes = ['{"a":1}', '{"b":\n2}', '{"c":3}'].map((line) => out.write([encoder.encode(line)], true));
  await Promise.all(writes);

  assert.equal(text, '{"a":1}\n{"b": 2}\n{"c":3}\n');
});

Deno.test("a slow host slows the stream down instead of filling the memory", async () => {
  let release = () => {};
  let taken = 0;
  const out = lineWriter({
    write: (bytes) => new Promise((resolve) => release = () => (taken++, resolve(bytes.length))),
  });
  let done = 0;
  const writes = Promise.all(
    [1, 2].map(() => out.write([new Uint8Array(100_000)], false).then(() => done++)),
  );
  await Promise.resolve();
  assert.equal(done, 0);
  while (done < 2) {
    release();
    await new Promise((go) => setTimeout(go, 0));
  }
  await writes;
  assert.ok(taken >= 2);
});

for (
  const [how, fail] of [
    ["later", () => Promise.reject(new Deno.errors.BrokenPipe("gone"))],
    ["at once", () => {
      throw new Deno.errors.BadResource("gone");
    }],
  ] as const
) {
  Deno.test(`a host that reads no longer is noticed, and nobody ever waits for it (it fails ${how})`, async () => {
    const out = lineWriter({ write: fail });

    await Promise.all([1, 2, 3].map(() => out.write([encoder.encode("{}")], false)));
    await out.broken;
    for (let n = 0; n < 3; n++) await out.write([encoder.encode("{}")], false);
    await out.flushed();
  });
}
