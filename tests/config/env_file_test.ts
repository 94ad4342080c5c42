import assert from "node:assert/strict";
import * as util from "node:util";
import fc from "fast-check";
import { parseEnvFile } from "../../lib/config/env_file.ts";

const sample = [
  "# a comment",
  "PLAIN=value",
  "  SPACED = value with blanks  # and a comment",
  "export EXPORTED=yes",
  "EMPTY=",
  'DOUBLE="a # b\\nc"',
  "SINGLE='a \\n b'",
  "BACK=`a \"b\" 'c'`",
  'LINES="one',
  'two"',
  "URL=redis://u:p@h:1/0?x=1",
  'JSON={"a":1}',
  "not a line",
  "1BAD=x",
  "LAST=end",
].join("\n");

Deno.test("parseEnvFile() reads quotes, comments, exports and several lines", () => {
  assert.deepEqual(parseEnvFile(sample), {
    PLAIN: "value",
    SPACED: "value with blanks",
    EXPORTED: "yes",
    EMPTY: "",
    DOUBLE: "a # b\nc",
    SINGLE: "a \\n b",
    BACK: "a \"b\" 'c'",
    LINES: "one\ntwo",
    URL: "redis://u:p@h:1/0?x=1",
    JSON: '{"a":1}',
    LAST: "end",
  });
  assert.deepEqual(parseEnvFile(sample.replaceAll("\n", "\r\n")), parseEnvFile(sample));
});

const parseEnv = (util as { parseEnv?: (text: string) => Record<string, string> }).parseEnv;

Deno.test({
  name: "parseEnvFile() agrees with the runtime's parseEnv() where there is one",
  ignore: parseEnv === undefined,
  fn() {
    const value = fc.oneof(
      fc.stringMatching(/^[\w:/.@?&=-]{0,12}$/),
      fc.stringMatching(/^[\w #'\n-]{0,12}$/).map((text) => `"${text}"`),
      fc.stringMatching(/^[\w #"\\-]{0,12}$/).map((text) => `'${text}'`),
    );
    const line = fc.tuple(fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,8}$/), value).map(([name, text]) =>
      `${name}=${text}`
    );
    fc.assert(fc.property(fc.array(line), (lines) => {
      const text = lines.join("\n");
      assert.deepEqual(parseEnvFile(text), { ...parseEnv?.(text) });
    }));
  },
});
