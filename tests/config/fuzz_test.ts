import assert from "node:assert/strict";
import fc from "fast-check";
import { entries } from "../../lib/config/table.ts";
import { load } from "./support.ts";
import { settingCases } from "./setting_cases.ts";

/** Good texts, bad texts and texts of no sense for every setting. */
const settings = fc.constantFrom(...entries).chain(([key, setting]) => {
  const known = settingCases[key];
  const texts = fc.oneof(
    fc.constantFrom(
      known?.good ?? "x",
      known?.bad ?? "y",
      "",
      " ",
      "true",
      "http",
      "0",
      "https://a.example/mcp",
    ),
    fc.string(),
    fc.string({ unit: "binary" }),
  );
  return texts.map((text) => ({ setting, text }));
});

Deno.test("whatever is given, there is a configuration or a list of one-line problems", () => {
  fc.assert(
    fc.property(
      fc.array(settings, { maxLength: 12 }),
      fc.array(fc.string({ unit: "binary" }), { maxLength: 4 }),
      (given, extra) => {
        const env: Record<string, string> = {};
        const argv: string[] = [];
        for (const [at, { setting, text }] of given.entries()) {
          if (setting.env !== undefined && at % 3 !== 0) env[setting.env] = text;
          else {argv.push(
              at % 2 === 0 ? `--${setting.flag}=${text}` : `--${setting.flag}`,
              ...(at % 2 === 0 ? [] : [text]),
            );}
        }
        const found = load([...argv, ...extra], { env, files: { ".env": `X=1\n${env.LOG_FILE ?? ""}` } });

        if (!Array.isArray(found)) return;
        assert.ok(found.length > 0);
        for (const line of found) assert.doesNotMatch(line, /\p{Cc}|\bundefined\b|\[object/u, line);
      },
    ),
    { numRuns: 200 },
  );
});

Deno.test("no secret is in any problem", () => {
  const secrets = entries.filter(([, { secret }]) => secret === true);
  fc.assert(
    fc.property(
      fc.constantFrom(...secrets),
      fc.constantFrom("", "ü", "\n", "{", "http://"),
      ([, setting], around) => {
        const text = `${around}canary-7301${around}`;
        const base = {
          MCP_PROXY_TRANSPORT: "http",
          INBOUND_AUTH_PROVIDER: "oidc",
          MCP_PROXY_BASE_URL: "https://d.example",
        };
        for (const env of [{ ...base, [setting.env ?? ""]: text }, { [setting.env ?? ""]: text }]) {
          const found = load([], { env });
          if (Array.isArray(found)) assert.doesNotMatch(found.join("\n"), /canary-7301/);
        }
        const flag = load([`--${setting.flag}=${text}`, `--${setting.flag}=other`]);
        assert.doesNotMatch(Array.isArray(flag) ? flag.join("\n") : "", /canary-7301/);
      },
    ),
    { numRuns: 200 },
  );
});
