/** The command line is cut as Node's `parseArgs` cuts it. */
import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import fc from "fast-check";
import { type Token, tokens } from "../../lib/config/tokens.ts";

const options = {
  name: { type: "string", multiple: true },
  "log-level": { type: "string", multiple: true },
  silent: { type: "boolean", multiple: true },
} as const;

function byParseArgs(args: string[]): Token[] {
  const parsed = parseArgs({ args, options, strict: false, allowPositionals: true, tokens: true });
  return parsed.tokens.flatMap((token): Token[] => {
    if (token.kind === "positional") return [{ kind: "positional", value: token.value }];
    if (token.kind !== "option") return [];
    const { name, rawName, value, inlineValue } = token;
    return [{
      kind: "flag",
      rawName,
      name,
      ...(value === undefined ? {} : { value }),
      inline: inlineValue ?? false,
    }];
  });
}

const ours = (
  argv: readonly string[],
) => [...tokens(argv, (name) => name === "name" || name === "log-level")];

Deno.test("every command line without single dashes is cut as parseArgs cuts it", () => {
  const word = fc.oneof(
    fc.constantFrom("--name", "--log-level", "--silent", "--no-silent", "--unknown", "--", "-", ""),
    fc.constantFrom("--name=", "--name=x", "--name=--silent", "--silent=false", "--log-level=a=b", "--x=1"),
    fc.string().filter((text) => !text.startsWith("-")),
  );
  fc.assert(fc.property(fc.array(word, { maxLength: 8 }), (argv) => {
    assert.deepEqual(ours(argv), byParseArgs(argv));
  }));
});

Deno.test("what begins with one dash is one flag without a name, and takes no value", () => {
  assert.deepEqual(ours(["-vx", "y", "-p=1"]), [
    { kind: "flag", rawName: "-vx", inline: false },
    { kind: "positional", value: "y" },
    { kind: "flag", rawName: "-p", inline: false },
  ]);
});
