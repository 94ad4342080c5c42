import assert from "node:assert/strict";
import fc from "fast-check";
import {
  bool,
  choice,
  commaList,
  decimal,
  duration,
  formatDuration,
  instant,
  integer,
  issuer,
  parameters,
  parseDuration,
  path,
  port,
  regexp,
  scopeList,
  scopes,
  spaceList,
  url,
} from "../../lib/base/kinds.ts";
import type { Kind } from "../../lib/base/setting.ts";

/** A table of texts and what they come to; an `Error` stands for a refusal. */
function table<T>(kind: Kind<T>, rows: readonly (readonly [text: string, value: T | typeof Error])[]): void {
  for (const [text, value] of rows) {
    if (value === Error) assert.throws(() => kind.parse(text), Error, JSON.stringify(text));
    else assert.deepEqual(kind.parse(text), value, JSON.stringify(text));
  }
}

/** No text makes a kind do anything but return a value or throw an `Error` with a phrase. */
function survivesAnything(kind: Kind<unknown>): void {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary" })), (text) => {
    try {
      kind.parse(text);
    } catch (error) {
      assert.ok(error instanceof Error && error.message.length > 5 && !error.message.includes("\n"));
    }
  }));
}

Deno.test("bool takes four words for each side in any case and refuses everything else", () => {
  table(bool, [
    ["true", true],
    ["1", true],
    ["yes", true],
    ["ON", true],
    ["False", false],
    ["0", false],
    ["no", false],
    ["off", false],
    ["maybe", Error],
    ["2", Error],
    ["t", Error],
    ["truee", Error],
  ]);
  survivesAnything(bool);
});

Deno.test("integer takes whole numbers within its bounds", () => {
  fc.assert(
    fc.property(fc.integer({ min: 5, max: 500 }), (n) => assert.equal(integer(5, 500).parse(`${n}`), n)),
  );
  table(integer(5, 500), [["4", Error], ["501", Error], ["5.5", Error], ["0x10", Error], ["1e2", Error], [
    "",
    Error,
  ]]);
  table(integer(0), [["9007199254740993", Error], ["-1", Error]]);
  table(port, [["0", 0], ["65535", 65_535], ["65536", Error], ["-1", Error], ["http", Error]]);
  survivesAnything(port);
});

Deno.test("decimal refuses what is not a plain number", () => {
  table(decimal(0), [["0", 0], ["2.5", 2.5], ["NaN", Error], ["Infinity", Error], ["-1", Error], [
    "1e3",
    Error,
  ]]);
});

Deno.test("duration takes Go's form and plain seconds", () => {
  table(duration(0), [
    ["90s", 90_000],
    ["1h30m", 5_400_000],
    ["168h", 604_800_000],
    ["1.5h", 5_400_000],
    [".5s", 500],
    ["100ms", 100],
    ["90", 90_000],
    ["0", 0],
    ["1h 30m", Error],
    ["90sec", Error],
    ["-5s", Error],
    ["s", Error],
    ["1d", Error],
    ["h1", Error],
    ["", Error],
  ]);
  assert.throws(() => duration(1, 900_000).parse("15m1s"), /from 1ms to 15m/);
  assert.equal(duration(1, 900_000).parse("15m"), 900_000);
  assert.throws(() => duration(1, 900_000).parse("0"));
  survivesAnything(duration(0));
});

Deno.test("formatDuration() and parseDuration() are inverse", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1e12 }),
      (ms) => assert.equal(parseDuration(formatDuration(ms)), ms),
    ),
  );
});

Deno.test("url takes http and https only, and no credentials", () => {
  for (const good of ["https://a.example", "http://localhost:1/x?y=1", "HTTPS://A.example/"]) url.parse(good);
  for (
    const bad of [
      "a.example",
      "ftp://a",
      "server.py",
      "https://",
      "javascript:alert(1)",
      "https://u:p@a",
      "//a",
      "/a",
    ]
  ) assert.throws(() => url.parse(bad), Error, bad);
  survivesAnything(url);
});

Deno.test("path refuses what no system takes", () => {
  table(path, [["a b/c", "a b/c"], ["a\0b", Error]]);
  assert.throws(() => url.parse("nope"), /^Error: an http:\/\/ or https:\/\/ URL$/);
});

Deno.test("issuer keeps the text as typed", () => {
  table(issuer, [
    ["https://a.example/", "https://a.example/"],
    ["https://a.example", "https://a.example"],
    ["https://A.example/Realm", "https://A.example/Realm"],
    ["https://a.example/?x=1", Error],
    ["https://a.example/#x", Error],
    ["a.example", Error],
  ]);
});

Deno.test("lists drop blanks, empty entries and repetitions", () => {
  table(commaList, [["a, b,,a ,", ["a", "b"]], [" ", []], ["a b", ["a b"]]]);
  table(spaceList, [[" a\tb\n a ", ["a", "b"]]]);
  fc.assert(fc.property(fc.array(fc.stringMatching(/^[a-z0-9@.]{1,9}$/)), (entries) => {
    assert.deepEqual(commaList.parse(entries.join(" , ")), [...new Set(entries)]);
  }));
});

Deno.test("scopes must be scope tokens", () => {
  table(scopes, [["openid email", ["openid", "email"]], ['a"b', Error], ["ö", Error], ["a\\b", Error]]);
  table(scopeList, [["openid,email profile", ["openid", "email", "profile"]]]);
});

Deno.test("choice names what there is to choose from", () => {
  table(choice(["a", "b"]), [["a", "a"], [" b ", "b"], ["c", Error], ["A", Error]]);
  assert.throws(() => choice(["a", "b"]).parse("c"), /one of a, b/);
});

Deno.test("instant takes RFC 3339 only", () => {
  table(instant, [
    ["2026-01-31T12:00:00Z", Date.UTC(2026, 0, 31, 12)],
    ["2026-01-31t12:00:00.5+01:00", Date.UTC(2026, 0, 31, 11, 0, 0, 500)],
    ["2026-01-31", Error],
    ["2026-13-31T12:00:00Z", Error],
    ["2026-01-31T12:00:00", Error],
    ["yesterday", Error],
  ]);
  fc.assert(
    fc.property(
      fc.date({ noInvalidDate: true, min: new Date(0), max: new Date("2100-01-01T00:00:00Z") }),
      (date) => assert.equal(instant.parse(date.toISOString()), date.getTime()),
    ),
  );
});

Deno.test("regexp understands leading flags, and blank text means none", () => {
  assert.equal(regexp.parse("  "), undefined);
  assert.ok(regexp.parse("^/healthz$")?.test("/healthz"));
  assert.ok(regexp.parse("(?i)^/HEALTHZ$")?.test("/healthz"));
  assert.throws(() => regexp.parse("("), /a regular expression/);
  survivesAnything(regexp);
});

Deno.test("parameters reads a query", () => {
  table(parameters, [
    ["prompt=login&login_hint=a%40b", [["prompt", "login"], ["login_hint", "a@b"]]],
    ["prompt", Error],
    ["=x", Error],
    [" ", Error],
  ]);
});
