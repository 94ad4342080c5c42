import assert from "node:assert/strict";
import { parse } from "@decimalturn/toml-patch";
import { editToml } from "../../lib/commands/install/edit_toml.ts";

const entry = { command: "C:\\bin\\x.exe", args: ["https://u.example/mcp"], env: { A: "1" } };

function set(text: string): string {
  return editToml(text, "mcp_servers", "me", entry, "config.toml");
}

function unset(text: string): string {
  return editToml(text, "mcp_servers", "me", undefined, "config.toml");
}

const fixtures: readonly string[] = [
  '# my settings\nmodel = "m"   # keep\n\n[mcp_servers.other]   # the other\ncommand = "npx"\nargs = ["-y", "x"] # args\nenv = { A = "1" }\n\n[profiles.x]\nmodel = "y"\n',
  'model = "m"\n',
  '[mcp_servers]\n\n[mcp_servers.a]\nurl = "https://a"\n',
  'notice = """\n[mcp_servers.me]\n"""\n',
  '# crlf\r\nmodel = "m"\r\n',
];

Deno.test("a new table is added at the end and everything before it stays", () => {
  for (const text of fixtures) {
    const after = set(text);
    const servers = (parse(after) as { mcp_servers: Record<string, unknown> }).mcp_servers;
    assert.deepEqual(JSON.parse(JSON.stringify(servers.me)), entry);
    assert.ok(after.startsWith(text.trimEnd()), after);
    assert.match(after, /\r?\n\[mcp_servers\.me\]\r?\n/);
    assert.equal(set(after), after, "the second time changes nothing");
    assert.deepEqual(parse(unset(after)), parse(text));
    assert.ok(unset(after).startsWith(text.trimEnd()));
    assert.equal(unset(text), text);
  }
});

Deno.test("an entry that is there is changed in its place, and its neighbours keep their remarks", () => {
  const text =
    '[mcp_servers.me] # mine\ncommand = "old"\n\n[mcp_servers.b] # theirs\nurl = "https://b" # here\n';
  const after = set(text);

  assert.deepEqual(JSON.parse(JSON.stringify(parse(after))), {
    mcp_servers: { me: entry, b: { url: "https://b" } },
  });
  assert.match(after, /\[mcp_servers\.b\] # theirs\nurl = "https:\/\/b" # here\n/);
  assert.equal(set(after), after);
});

Deno.test("servers in an inline table stay there", () => {
  const text = 'mcp_servers = { a = { url = "https://a" } }\n';

  assert.deepEqual(JSON.parse(JSON.stringify(parse(set(text)))), {
    mcp_servers: { a: { url: "https://a" }, me: entry },
  });
});

Deno.test("line ends stay as they are", () => assert.doesNotMatch(set(fixtures[4] ?? ""), /[^\r]\n/));

Deno.test("an empty file gets nothing but the table, and is empty again without it", () => {
  assert.match(set(""), /^\[mcp_servers\.me\]\n/);
  assert.equal(unset(set("")).trim(), "");
});

Deno.test("what is not TOML is refused", () => {
  assert.throws(() => set("a = = b"), /Cannot read config\.toml/);
  assert.throws(() => set("mcp_servers = 1"), /"mcp_servers" in it is no table/);
});
