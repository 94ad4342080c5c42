import assert from "node:assert/strict";
import fc from "fast-check";
import { isRequest, isResponse } from "../../lib/stdio/head.ts";
import { MessageScanner, scanMessage } from "../../lib/stdio/message.ts";
import { plainEnd } from "../../lib/stdio/plain_text.ts";

const encoder = new TextEncoder();
const scan = (text: string) => scanMessage(encoder.encode(text));
const versionKey = "io.modelcontextprotocol/protocolVersion";

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** What the scanner should have seen, by way of JSON.parse. */
// deno-lint-ignore no-explicit-any -- any JSON value may stand there
function expectedHead(message: any): Record<string, unknown> {
  const head: Record<string, unknown> = {};
  const scalar = (value: unknown) => value === null || typeof value !== "object";
  const own = (of: unknown, name: string) =>
    of !== null && typeof of === "object" && !Array.isArray(of) && Object.hasOwn(of, name);
  if (own(message, "id") && scalar(message.id)) head.id = message.id;
  if (typeof message.method === "string") head.method = message.method;
  if (own(message, "result")) head.hasResult = true;
  if (own(message, "error")) head.hasError = true;
  if (own(message.error, "code") && scalar(message.error.code)) head.errorCode = message.error.code;
  const params = message.params;
  if (own(params, "name") && typeof params.name === "string") head.name = params.name;
  if (own(params, "uri") && typeof params.uri === "string") head.uri = params.uri;
  if (own(params, "taskId") && typeof params.taskId === "string") head.taskId = params.taskId;
  if (own(params, "requestId") && scalar(params.requestId)) head.requestId = params.requestId;
  const meta = own(params, "_meta") ? params._meta : undefined;
  if (own(meta, versionKey) && typeof meta[versionKey] === "string") head.protocolVersion = meta[versionKey];
  return head;
}

function seenHead(head: object): Record<string, unknown> {
  const seen: Record<string, unknown> = { ...head };
  for (const raw of ["id", "requestId", "errorCode"]) {
    if (typeof seen[raw] === "string") seen[raw] = JSON.parse(seen[raw]);
  }
  return seen;
}

const names = fc.constantFrom(
  "id",
  "method",
  "params",
  "name",
  "uri",
  "taskId",
  "_meta",
  versionKey,
  "requestId",
  "result",
  "error",
  "code",
  "constructor",
  "__proto__",
  "x",
  "\u00e9",
  '"',
);
const { value: messages } = fc.letrec((tie) => ({
  leaf: fc.oneof(
    fc.string({ unit: "binary" }),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(true, false, null),
  ),
  value: fc.oneof(
    { depthSize: "medium" },
    tie("leaf"),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(names, tie("value"), { maxKeys: 6, noNullPrototype: true }),
  ),
}));
const spaces = fc.constantFrom(undefined, 1, "\t", "\n");

Deno.test("scanMessage() sees what JSON.parse sees, in one piece or in many", () => {
  fc.assert(
    fc.property(
      messages,
      spaces,
      fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
      (value, space, sizes) => {
        const text = JSON.stringify(value, null, space);
        const bytes = encoder.encode(text);
        const pieces = new MessageScanner();
        for (let at = 0; at < bytes.length;) {
          const size = sizes.next().value ?? 1;
          pieces.push(bytes.subarray(at, at + size));
          at += size;
        }
        const whole = scanMessage(bytes);

        assert.deepEqual(pieces.end(), whole);
        assert.equal(whole.valid, true);
        assert.equal(whole.batch, Array.isArray(value));
        const objects = (Array.isArray(value) ? value : [value]).filter((item) =>
          item !== null && typeof item === "object" && !Array.isArray(item)
        );
        const parsed = JSON.parse(text);
        const again = (Array.isArray(parsed) ? parsed : [parsed]).filter((item) =>
          item !== null && typeof item === "object" && !Array.isArray(item)
        );
        assert.equal(whole.heads.length, objects.length);
        assert.deepEqual(whole.heads.map(seenHead), again.map(expectedHead));
      },
    ),
    { numRuns: 2000 },
  );
});

Deno.test("scanMessage() finds a text valid exactly when JSON.parse does", () => {
  const alphabet = fc.constantFrom(
    ...'{}[]:,"\\ \n\t0123456789eE+-.truefalsn/ubx\u00e9\u0001'.split(""),
    '"id"',
    '"params"',
    "null",
    "true",
    "\\u00e9",
    "1e5",
    "-0",
    '":',
    "},",
  );
  const texts = fc.oneof(
    fc.array(alphabet, { maxLength: 12 }).map((parts) => parts.join("")),
    fc.tuple(messages, fc.nat(), alphabet, fc.boolean()).map(([value, at, part, replace]) => {
      const text = JSON.stringify(value);
      const cut = at % (text.length + 1);
      return text.slice(0, cut) + part + text.slice(replace ? cut + 1 : cut);
    }),
  );
  fc.assert(
    fc.property(texts, (text) => {
      if (!text.isWellFormed()) return;
      assert.equal(scan(text).valid, parses(text), text);
    }),
    { numRuns: 5000 },
  );
});

Deno.test("the last of two members with one name counts, as with JSON.parse", () => {
  const text = '{"id":1,"params":{"name":"a","_meta":{"' + versionKey +
    '":"v"}},"id":2,"method":"x","params":[]}';
  assert.deepEqual(scan(text).heads, [{ id: "2", method: "x" }]);
});

Deno.test("an id keeps its text: big integers, fractions, escapes, null", () => {
  for (const id of ["12345678901234567890", "1.50", '"\\u0061\\ud800"', "null", "true", "-0", '""']) {
    assert.equal(scan(`{"id":${id},"method":"m"}`).heads[0]?.id, id);
  }
});

Deno.test("a batch gives one head for each message", () => {
  const { batch, heads } = scan(
    '[{"id":1,"method":"a"},{"method":"n"},[{"id":9}],{"id":2,"result":{"id":7}}]',
  );
  assert.equal(batch, true);
  assert.deepEqual(heads.map((head) => head.id), ["1", undefined, "2"]);
  assert.deepEqual(heads.map(isRequest), [true, false, false]);
  assert.deepEqual(heads.map(isResponse), [false, false, true]);
});

Deno.test("deep nesting does not overflow", () => {
  const depth = 200_000;
  assert.equal(scan('{"id":1,"params":' + "[".repeat(depth) + "]".repeat(depth) + "}").valid, true);
});

Deno.test("plainEnd() finds what one byte after the other would find, wherever the bytes lie", () => {
  const isSpecial = (byte: number) => byte < 0x20 || byte === 0x22 || byte === 0x5c;
  const near = [
    0x00,
    0x1f,
    0x20,
    0x21,
    0x22,
    0x23,
    0x5b,
    0x5c,
    0x5d,
    0x7f,
    0x80,
    0x9f,
    0xa0,
    0xa2,
    0xdc,
    0xff,
  ];
  const byte = fc.oneof(
    { weight: 20, arbitrary: fc.integer({ min: 0x61, max: 0x7a }) },
    fc.constantFrom(...near),
  );
  fc.assert(
    fc.property(
      fc.array(byte, { maxLength: 200 }),
      fc.nat(7),
      fc.nat(40),
      (values, offset, from) => {
        const bytes = new Uint8Array([...Array(offset).fill(0), ...values]).subarray(offset);
        const start = Math.min(from, bytes.length);
        const found = bytes.findIndex((value, at) => at >= start && isSpecial(value));
        assert.equal(plainEnd(bytes, start), found < 0 ? bytes.length : found);
      },
    ),
    { numRuns: 2_000 },
  );
});
