import assert from "node:assert/strict";
import fc from "fast-check";
import { parse } from "jsonc-parser";
import { editJsonc } from "../../lib/commands/install/edit_jsonc.ts";

const entry = { command: "/bin/x", args: ["https://u.example/mcp"], env: { A: "1" } };

function set(text: string): string {
  return editJsonc(text, "mcpServers", "me", entry, "f.json");
}

function unset(text: string): string {
  return editJsonc(text, "mcpServers", "me", undefined, "f.json");
}

/** Files as people have them; `{}` stands for what is not ours. */
const fixtures: readonly string[] = [
  '{\n  // servers\n  "mcpServers": {\n    "a": { "command": "b" }, // the other\n  },\n}\n',
  '{\n  "mcpServers": {\n    "a": { "command": "b" } // the other\n  },\n  "theme": "dark", /* here */\n}\n',
  '{\n\t"mcpServers": {\n\t\t"a": {"command": "b"},\n\t}\n}',
  '{\r\n  "mcpServers": {\r\n    "a": { "command": "b" }\r\n  }\r\n}\r\n',
  '{\n    "z": 1,\n    "mcpServers": {\n        // none yet\n    }\n}\n',
  '{"mcpServers":{"a":{"command":"b"}},"z":1}',
  '{\n  "projects": { "/x": { "mcpServers": {} } },\n  "mcpServers": {\n    "a": {\n      "type": "http",\n      "url": "https://a"\n    }\n  }\n}\n',
];

Deno.test("a new entry is added and everything else stays, byte for byte", () => {
  for (const text of fixtures) {
    const after = set(text);
    const found = parse(after, [], { allowTrailingComma: true });
    assert.deepEqual(found.mcpServers.me, entry);
    assert.equal(set(after), after, "the second time changes nothing");
    assert.equal(unset(after), text, "taken out again, the file is as it was");
    assert.deepEqual(unset(text), text);
  }
});

Deno.test("the file's own indentation and line ends are used", () => {
  assert.match(set(fixtures[2] ?? ""), /\n\t\t"me": \{\n\t\t\t"command": "\/bin\/x",/);
  assert.doesNotMatch(set(fixtures[3] ?? ""), /[^\r]\n/);
  assert.match(set(fixtures[4] ?? ""), /\n {8}"me": \{\n {12}"command"/);
});

Deno.test("a trailing comma stays the custom of a file that has it, and is not introduced elsewhere", () => {
  assert.match(set(fixtures[0] ?? ""), /\n {4}\},\n {2}\},\n\}\n$/);
  assert.match(set(fixtures[1] ?? ""), /"b" \}, \/\/ the other\n {4}"me": \{[^}]*\}\n {4}\}\n {2}\}/);
});

Deno.test("an entry that is there is replaced in its place", () => {
  const text =
    '{\n  "mcpServers": {\n    "me": { "command": "old", "disabled": true }, // mine\n    "b": {}\n  }\n}\n';
  const after = set(text);

  assert.deepEqual(parse(after).mcpServers, { me: entry, b: {} });
  assert.match(after, /\}, \/\/ mine\n {4}"b": \{\}\n/);
  assert.equal(set(after), after);
});

Deno.test("an absent section or an empty file is made", () => {
  assert.deepEqual(parse(set("")), { mcpServers: { me: entry } });
  assert.deepEqual(parse(set("{}")), { mcpServers: { me: entry } });
  assert.deepEqual(parse(set('{\n  "z": 1\n}\n')), { z: 1, mcpServers: { me: entry } });
  assert.equal(unset(""), "");
});

Deno.test("a file that is not JSON, or holds something else, is refused and not touched", () => {
  assert.throws(() => set('{\n  "a": [\n}'), /Cannot read f\.json: .* in line 3/);
  assert.throws(() => set("[]"), /holds no JSON object/);
  assert.throws(() => set('{"mcpServers": []}'), /"mcpServers" in it is no object/);
});

Deno.test("any object survives an entry being added and taken out again", () => {
  const json = fc.dictionary(fc.string(), fc.jsonValue());
  fc.assert(
    fc.property(
      json,
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.constantFrom(0, 2, 4),
      (rest, servers, n) => {
        fc.pre(
          !("me" in servers) && !("mcpServers" in rest) && !("__proto__" in rest) &&
            !("__proto__" in servers),
        );
        const whole = JSON.parse(JSON.stringify({ ...rest, mcpServers: servers }));
        const text = JSON.stringify(whole, null, n);
        const after = set(text);
        assert.deepEqual(JSON.parse(after), { ...whole, mcpServers: { ...whole.mcpServers, me: entry } });
        assert.deepEqual(JSON.parse(unset(after)), whole);
      },
    ),
  );
});
