import assert from "node:assert/strict";
import { openBrowser, safeHttpUrl } from "../../lib/base/browser.ts";

Deno.test("only https, or http on this machine, is an address for a browser", () => {
  for (
    const good of ["https://a.example/x?y=1", "http://localhost:1/", "http://127.0.0.1:8/a", "http://[::1]/b"]
  ) {
    assert.equal(safeHttpUrl(good, "address").protocol.startsWith("http"), true);
  }
  const bad = [
    "javascript:alert(1)",
    "file:///etc/passwd",
    "data:text/html,x",
    "http://evil.example/",
    "http://localhost.evil.example/",
    "http://127.0.0.1@evil.example/",
    "https://user:secret@a.example/",
    "https://a.example/#code=1",
    "-flag",
    "ms-settings:",
    "\\\\host\\share",
    "",
    " ",
  ];
  for (const text of bad) assert.throws(() => safeHttpUrl(text, "address"), /Cannot use the address/, text);
});

Deno.test("an address is written out anew before anything sees it", () => {
  assert.equal(
    safeHttpUrl('https://A.example/x/../`id`?a=$(calc) "%26calc', "address").href.includes("`"),
    false,
  );
  assert.match(safeHttpUrl('https://a.example/?q="&calc', "address").href, /%22&calc$/);
});

/** A program for BROWSER that writes its arguments, one to a line. */
async function withProgram(
  work: (program: string, shown: () => Promise<string[]>) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "doorman browser " });
  try {
    const program = `${dir}/my browser`;
    await Deno.writeTextFile(
      program,
      `#!/bin/sh\nprintf '%s\\n' "$@" > "${dir}/out.part"\nmv "${dir}/out.part" "${dir}/out"\n`,
    );
    await Deno.chmod(program, 0o755);
    await work(program, async () => {
      for (let tries = 0;; tries++) {
        try {
          return (await Deno.readTextFile(`${dir}/out`)).trimEnd().split("\n");
        } catch (error) {
          if (tries > 200) throw error;
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      }
    });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const posix = { ignore: Deno.build.os === "windows", sanitizeOps: false, sanitizeResources: false };
const nasty = new URL("https://a.example/authorize?x=$(touch /tmp/owned);`id`&y=%s&z='\"");

Deno.test(
  "BROWSER gets the address as one argument, and no shell looks at it",
  posix,
  () =>
    withProgram(async (program, shown) => {
      assert.equal(await openBrowser(nasty, { command: program }), true);
      assert.deepEqual(await shown(), [nasty.href]);
    }),
);

Deno.test("BROWSER may say where the address goes", posix, () =>
  withProgram(async (program, shown) => {
    const link = `${program.slice(0, program.lastIndexOf("/")).replaceAll(" ", "-")}-link`;
    await Deno.symlink(program, link);
    try {
      assert.equal(await openBrowser(nasty, { command: `${link} --new-window --url=%s last` }), true);
      assert.deepEqual(await shown(), ["--new-window", `--url=${nasty.href}`, "last"]);
    } finally {
      await Deno.remove(link);
    }
  }));

Deno.test(
  "the next program of BROWSER is tried when one cannot be started, and none is no error",
  posix,
  () =>
    withProgram(async (program, shown) => {
      assert.equal(await openBrowser(nasty, { command: `/nowhere/browser:${program}` }), true);
      assert.deepEqual(await shown(), [nasty.href]);
      assert.equal(await openBrowser(nasty, { command: "/nowhere/browser" }), false);
    }),
);

Deno.test(
  "an address that may not be opened reaches no program",
  posix,
  () =>
    withProgram(async (program) => {
      await assert.rejects(openBrowser(new URL("file:///etc/passwd"), { command: program }), /Cannot use/);
    }),
);
