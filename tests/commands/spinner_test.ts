import assert from "node:assert/strict";
import { type Screen, spinner } from "../../lib/commands/spinner.ts";

function screen(terminal: boolean): Screen & { text(): string } {
  let text = "";
  return {
    isTerminal: () => terminal,
    writeSync(bytes) {
      text += new TextDecoder().decode(bytes);
      return bytes.length;
    },
    text: () => text,
  };
}

Deno.test("the spinner shows its text on a terminal and leaves the line empty", () => {
  const out = screen(true);
  {
    using busy = spinner(out, true);
    busy.show("Waiting");
    assert.equal(out.text(), "\r\x1b[2K\x1b[36m⠋\x1b[0m Waiting");
  }
  assert.ok(out.text().endsWith("\r\x1b[2K"));
});

Deno.test("the spinner has no colour when none is wanted", () => {
  const out = screen(true);
  using busy = spinner(out, false);
  busy.show("Waiting");

  assert.equal(out.text(), "\r\x1b[2K⠋ Waiting");
});

Deno.test("the spinner writes nothing where there is no terminal", () => {
  const out = screen(false);
  {
    using busy = spinner(out, true);
    busy.show("Waiting");
  }
  assert.equal(out.text(), "");
});
