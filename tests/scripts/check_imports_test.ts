import assert from "node:assert/strict";
import { findBreaches, importsOf, withoutComments } from "../../scripts/check_imports.ts";

function breaches(path: string, text: string): string[] {
  return findBreaches([{ path, text }]);
}

Deno.test("findBreaches() lets a file import its own folder and the layers below", () => {
  const text = `
    import { a } from "./other.ts";
    import type { Clock } from "../base/clock.ts";
    export { seal } from "../crypto/sealer.ts";
    const { open } = await import("../store/redis.ts");
    import "node:util";
  `;

  assert.deepEqual(breaches("lib/inbound/bridge/token.ts", text.replaceAll('"../', '"../../')), []);
  assert.deepEqual(breaches("main.ts", `import { runHttp } from "./lib/modes/http.ts";`), []);
});

for (
  const [form, text] of [
    ["static", `import { a } from "../http/app.ts";`],
    ["type-only", `import type { A } from "../http/app.ts";`],
    ["side-effect", `import "../http/app.ts";`],
    ["dynamic", `const app = await import("../http/app.ts");`],
    ["dynamic, over two lines", `const app = await import(\n  "../http/app.ts"\n);`],
    ["re-exporting", `export * from "../http/app.ts";`],
    ["type expression", `type App = import("../http/app.ts").App;`],
    ["static, over lines", `import {\n  a,\n  b,\n} from '../http/app.ts';`],
  ] as const
) {
  Deno.test(`findBreaches() refuses a ${form} import of a higher layer`, () => {
    assert.deepEqual(breaches("lib/store/kv.ts", text), [
      "lib/store/kv.ts: imports ../http/app.ts: that layer is above",
    ]);
  });
}

Deno.test("findBreaches() refuses a folder of the same layer, tests, unknown folders and main", () => {
  assert.match(breaches("lib/idp/oidc.ts", `import "../store/kv.ts";`)[0] ?? "", /do not see each other/);
  assert.match(
    breaches("lib/idp/oidc.ts", `import "../../tests/fakes/clock.ts";`)[0] ?? "",
    /from lib\/ only/,
  );
  assert.match(breaches("lib/utils/x.ts", `import "../base/clock.ts";`)[0] ?? "", /in no layer/);
  assert.match(breaches("lib/modes/http.ts", `import "../../main.ts";`)[0] ?? "", /from lib\/ only/);
  assert.match(breaches("main.ts", `import "./scripts/build.ts";`)[0] ?? "", /from lib\/ only/);
});

Deno.test("findBreaches() keeps each package in its home", () => {
  assert.deepEqual(breaches("lib/crypto/jwe.ts", `import { jwtVerify } from "jose";`), []);
  assert.match(
    breaches("lib/http/guard.ts", `import { jwtVerify } from "jose";`)[0] ?? "",
    /its home is lib\/crypto/,
  );
  assert.match(breaches("lib/store/kv.ts", `await import("ioredis");`)[0] ?? "", /lib\/store\/redis.ts/);
  assert.match(
    breaches("lib/http/app.ts", `import fc from "fast-check";`)[0] ?? "",
    /tests and scripts only/,
  );
  assert.match(breaches("lib/http/app.ts", `import "npm:hono@4";`)[0] ?? "", /deno.json only/);
  assert.match(breaches("lib/http/app.ts", `import { cors } from "hono/cors";`).join(), /^$/);
});

Deno.test("findBreaches() refuses an import that cannot be read from the text", () => {
  assert.match(breaches("lib/http/app.ts", "await import(name);")[0] ?? "", /not a plain string/);
  assert.match(
    breaches("lib/http/app.ts", "await import(`../modes/${name}.ts`);")[0] ?? "",
    /not a plain string/,
  );
});

Deno.test("findBreaches() refuses a file of more than 300 lines", () => {
  assert.deepEqual(breaches("lib/base/a.ts", "x\n".repeat(300)), []);
  assert.match(breaches("lib/base/a.ts", "x\n".repeat(301))[0] ?? "", /301 lines/);
});

Deno.test("withoutComments() drops comments and keeps strings that look like them", () => {
  const code = withoutComments(`// import "a"\nconst u = "http://x"; /* import "b" */ import "c";`);

  assert.deepEqual(importsOf(code), ["c"]);
  assert.match(code, /http:\/\/x/);
});
