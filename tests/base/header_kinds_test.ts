import assert from "node:assert/strict";
import fc from "fast-check";
import { headerList, headerName, headerValue } from "../../lib/base/header_kinds.ts";

Deno.test("headers have a token for a name and no line break in the value", () => {
  assert.deepEqual(headerList.parse("X-Key: a:b \nAuthorization:Bearer ${T}"), [
    ["X-Key", "a:b"],
    ["Authorization", "Bearer ${T}"],
  ]);
  for (const bad of ["X-Key", ":a", "X Key:a", "X-Key:", "X-Kéy:a", "X-Key:a\rb"]) {
    assert.throws(() => headerList.parse(bad), Error, bad);
  }
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    try {
      const value = headerValue.parse(text);
      new Headers([["x", [...value].every((char) => char <= "ÿ") ? value : "x"]]);
    } catch (error) {
      assert.match(String(error), /header value/);
    }
    try {
      new Headers([[headerName.parse(text), "x"]]);
    } catch (error) {
      assert.match(String(error), /header name/);
    }
  }));
});
