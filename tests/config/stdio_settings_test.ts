import assert from "node:assert/strict";
import fc from "fast-check";
import { processSurroundings } from "../../lib/config/sources.ts";
import { readSettings } from "../../lib/config/settings.ts";
import { stdioConfig } from "../../lib/config/stdio.ts";
import { readStdioSettings } from "../../lib/config/stdio_settings.ts";
import { entries } from "../../lib/config/table.ts";
import { settingCases } from "./setting_cases.ts";

const upstream = "https://up.example/mcp";
const files: Readonly<Record<string, string>> = {
  "stdio.env": "OIDC_CLIENT_ID=from-file",
  "http.env": "PROXY_BASE_URL=https://d.example",
};

function surroundings(env: Readonly<Record<string, string>>) {
  return {
    env: { HOME: "/home/u", ...env },
    readFile(path: string): string {
      const text = files[path];
      if (text === undefined) throw new Deno.errors.NotFound("No such file or directory (os error 2)");
      return text;
    },
  };
}

/** A setting by flag or by variable, with a text that it takes, or another one, or a flag without any. */
const given = fc.record({
  // Its value holds the second of the reading.
  setting: fc.constantFrom(...entries.filter(([key]) => key !== "logToFile")),
  by: fc.constantFrom("variable", "flag=text", "flag text", "flag", "no-flag"),
  other: fc.option(fc.constantFrom("", " ", "http", "stdio", "true", "0", "stdio.env", "http.env"), {
    freq: 3,
  }),
});

Deno.test("stdio mode reads of its own settings what it reads of all, or reads them all", () => {
  let alone = 0;
  fc.assert(
    fc.property(fc.array(given, { maxLength: 4 }), (settings) => {
      const argv = [upstream];
      const env: Record<string, string> = {};
      for (const { setting: [key, { flag, env: variable }], by, other } of settings) {
        const text = other ?? settingCases[key]?.good ?? "x";
        if (by === "variable" && variable !== undefined) env[variable] = text;
        else if (by === "flag text") argv.push(`--${flag}`, text);
        else if (by === "flag") argv.push(`--${flag}`);
        else if (by === "no-flag") argv.push(`--no-${flag}`);
        else argv.push(`--${flag}=${text}`);
      }
      const quick = readStdioSettings(argv, surroundings(env));
      const whole = readSettings(argv, surroundings(env));

      if (whole.mode === "http" || whole.problems.length > 0) return assert.equal(quick, undefined);
      // A flag of http mode means nothing here, and only the whole table knows it.
      if (quick === undefined) return;
      alone++;
      assert.deepEqual(quick.given, whole.given);
      assert.deepEqual(stdioConfig(quick), stdioConfig(whole));
      assert.deepEqual(quick.problems, whole.problems);
    }),
    { numRuns: 1_000 },
  );
  assert.ok(alone > 50, `${alone} of 1000`);
});

for (const [key, { mode, flag, env }] of entries) {
  if (mode === "http") continue;
  Deno.test(`stdio mode knows ${env ?? flag} without the settings of http mode`, () => {
    const own: Readonly<Record<string, string>> = { transport: "stdio", envFile: "stdio.env" };
    const argv = [`--${flag}=${own[key] ?? settingCases[key]?.good ?? "x"}`];
    if (key !== "upstreamUrl") argv.push(upstream);
    const quick = readStdioSettings(argv, surroundings({}));

    assert.equal(quick?.given.get(key), `--${flag}`, argv.join(" "));
  });
}

Deno.test("a name of the public URL, a file that has one, and --transport http make stdio mode step back", () => {
  const cases = [
    [["--transport", "http"], {}],
    [[], { MCP_PROXY_TRANSPORT: "http" }],
    [[], { PROXY_BASE_URL: "https://d.example" }],
    [[], { RESOURCE_URL: "https://d.example" }],
    [["--env-file", "http.env"], {}],
    [["--inbound-auth-provider", "none"], {}],
    [["--no-such-flag"], {}],
    // Else the flag of http mode would be the client's id.
    [["--oidc-client-id", "--allow-emails=a@b.example"], {}],
    [["--oidc-client-id", "--babs-base-url=https://d.example", "--transport", "stdio"], {}],
  ] as const;
  for (const [argv, env] of cases) {
    assert.equal(readStdioSettings([upstream, ...argv], surroundings(env)), undefined, argv.join(" "));
  }
});

Deno.test("a file is read once, whichever settings are read: a pipe has its text for the first only", () => {
  const path = Deno.makeTempFileSync();
  try {
    Deno.writeTextFileSync(path, "first");
    const { readFile } = processSurroundings();
    const texts = [readFile(path)];
    Deno.writeTextFileSync(path, "second");
    texts.push(readFile(path), processSurroundings().readFile(path));

    assert.deepEqual(texts, ["first", "first", "second"]);
  } finally {
    Deno.removeSync(path);
  }
});
