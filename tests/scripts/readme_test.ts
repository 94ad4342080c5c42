import assert from "node:assert/strict";
import { blocksOf, commandsOf, notShown, stepsOf } from "../../scripts/readme/blocks.ts";

Deno.test("the README's blocks, commands and sessions are read as a person reads them", () => {
  const [shell, session] = blocksOf(
    "x\n```sh\na \\\n  b # why\n\nc\n```\n\n```console\n$ a \\\n  b   # why\nout\n…\n$ c\n```\n",
  );

  assert.deepEqual(commandsOf(shell?.text ?? ""), ["a b", "c"]);
  assert.deepEqual(stepsOf(session?.text ?? ""), [
    { command: "a b", shown: ["out", "…"] },
    { command: "c", shown: [] },
  ]);
});

Deno.test("shown output is what came out, … standing for the rest of a line or for lines", () => {
  const output = "one\ntwo 2\nthree\nfour\n";

  for (const good of [["one", "two …", "three", "four"], ["one", "…", "four"], ["…", "three", "…"], ["…"]]) {
    assert.deepEqual(notShown(good, output), [], good.join());
  }
  const wrong: [string[], string][] = [
    [["one", "three", "four"], "three"],
    [["two …", "…"], "two …"],
    [["…", "five"], "five"],
    [["…", "four", "three"], "three"],
    [["one"], "(nothing more) but: two 2"],
    [["one.", "…"], "one."],
  ];
  for (const [shown, first] of wrong) assert.deepEqual(notShown(shown, output), [first], shown.join());
});
