import assert from "node:assert/strict";
import fc from "fast-check";
import { readAsked } from "../../../lib/http/tool_rules/calls.ts";

function read(text: string) {
  return readAsked(new TextEncoder().encode(text));
}

Deno.test("calls, other requests, notifications and answers are told apart", () => {
  assert.deepEqual(
    read('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{}}}'),
    [
      { id: "1", method: "tools/call", tool: "a" },
    ],
  );
  assert.deepEqual(read('{"jsonrpc":"2.0","id":"x","method":"ping"}'), [{ id: '"x"', method: "ping" }]);
  assert.deepEqual(read('{"jsonrpc":"2.0","method":"notifications/initialized"}'), [{
    method: "notifications/initialized",
  }]);
  assert.deepEqual(read('{"jsonrpc":"2.0","id":1,"result":{"name":"a","method":"b"}}'), [{ id: "1" }]);
  assert.deepEqual(read('[{"id":1,"method":"ping"},{"id":2,"method":"tools/call","params":{"name":"b"}}]'), [
    { id: "1", method: "ping" },
    { id: "2", method: "tools/call", tool: "b" },
  ]);
});

Deno.test("what readers could take for another call is not read at all", () => {
  const ambiguous = [
    '{"method":"tools/call","params":{"name":"good","name":"bad"}}',
    '{"method":"tools/call","params":{"name":"good","n\\u0061me":"bad"}}',
    '{"method":"tools/call","params":{"name":"good","Name":"bad"}}',
    '{"method":"tools/call","params":{"NAME":"bad","name":"good"}}',
    '{"method":"tools/list","method":"tools/call","params":{"name":"bad"}}',
    '{"method":"tools/list","Method":"tools/call","params":{"name":"bad"}}',
    '{"method":"tools/call","params":{"name":"good"},"params":{"name":"bad"}}',
    '{"method":"tools/call","params":{"name":"good"},"param\\u017f":{"name":"bad"}}',
    '{"method":"tools/call","params":{"name":"good"},"PARAMS":{"name":"bad"}}',
    '[{"id":1,"method":"ping"},{"method":"tools/call","params":{"name":"good","name":"bad"}}]',
    '{"method":"tools/call","params":{"x":{"name":"q"},"name":"good","name":"bad"}}',
    '{"method":"tools/call","params":{"_meta":[{"params":1}],"name":"good","Name":"bad"}}',
  ];
  for (const text of ambiguous) assert.equal(read(text), undefined, text);
});

Deno.test("what is inside the arguments is nobody's business", () => {
  const text =
    '{"method":"tools/call","params":{"name":"a","arguments":{"name":"x","Name":"y","method":"m",' +
    '"params":{"name":1,"NAME":2}}}}';

  assert.deepEqual(read(text), [{ method: "tools/call", tool: "a" }]);
});

Deno.test("a value that looks like a member's name is none", () => {
  assert.deepEqual(read('{"method":"tools/call","params":{"name":"name","x":["name","Name"]}}'), [
    { method: "tools/call", tool: "name" },
  ]);
  assert.deepEqual(read('{"jsonrpc":"method","method":"method"}'), [{ method: "method" }]);
});

Deno.test("what is no JSON-RPC message is not read", () => {
  const bad = [
    "",
    "{",
    "1",
    "null",
    '"x"',
    "[1]",
    "[[]]",
    '{"method":1}',
    '{"method":"tools/call"}',
    '{"a":1} {"b":2}',
  ];
  for (
    const text of [
      ...bad,
      '{"method":"tools/call","params":[]}',
      '{"method":"tools/call","params":{"name":1}}',
    ]
  ) {
    assert.equal(read(text), undefined, text);
  }
  assert.equal(readAsked(new Uint8Array([0xff, 0x7b, 0x7d])), undefined);
  assert.equal(
    readAsked(Uint8Array.from([0xef, 0xbb, 0xbf, ...new TextEncoder().encode('{"method":"ping"}')])),
    undefined,
  );
});

Deno.test("any message of one reading is read as it is", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.jsonValue(), fc.jsonValue(), (name, args, meta) => {
      const message = {
        jsonrpc: "2.0",
        id: 7,
        method: "tools/call",
        params: { _meta: meta, name, arguments: args },
      };
      const expected = name.isWellFormed() ? [{ id: "7", method: "tools/call", tool: name }] : undefined;
      if (expected !== undefined) assert.deepEqual(read(JSON.stringify(message, null, 1)), expected);
      assert.equal(
        read(`{"method":"tools/call","params":{"name":"x","arguments":${JSON.stringify(args)},"name":"y"}}`),
        undefined,
      );
    }),
    { numRuns: 40 },
  );
});
