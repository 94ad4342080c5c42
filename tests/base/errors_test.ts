import assert from "node:assert/strict";
import { describeError } from "../../lib/base/errors.ts";

Deno.test("describeError() says each thing once, though an error repeats what caused it", () => {
  const root = new Error("connection refused");
  const middle = new Error("Cannot reach http://a: connection refused", { cause: root });
  const outer = new Error("Cannot log in", { cause: middle });

  assert.equal(describeError(middle), "Cannot reach http://a: connection refused");
  assert.equal(describeError(outer), "Cannot log in: Cannot reach http://a: connection refused");
  assert.equal(describeError("text\n in two lines"), "text in two lines");
});
