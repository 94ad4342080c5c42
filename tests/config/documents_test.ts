import assert from "node:assert/strict";
import { rationale } from "../../lib/config/rationale/rationale.ts";
import { shownDefault, shownFlag } from "../../lib/config/shown.ts";
import { entries } from "../../lib/config/table.ts";
import { configurationPage, readmeTables } from "../../scripts/docs/settings.ts";

Deno.test("every setting has a rationale, and every rationale a setting", () => {
  const keys = entries.map(([key]) => key);
  const without = entries.filter(([key, setting]) =>
    setting.rationale === undefined && rationale[key] === undefined
  );

  assert.deepEqual(without.map(([key]) => key), []);
  assert.deepEqual(Object.keys(rationale).filter((key) => !keys.includes(key)), []);
});

Deno.test("every setting is in both documents under its variable and its flag", () => {
  const page = configurationPage();
  const tables = readmeTables();

  for (const [key, setting] of entries) {
    for (const text of [page, tables]) {
      assert.ok(setting.env === undefined || text.includes(`\`${setting.env}\``), key);
      assert.ok(setting.flag === undefined || text.includes(setting.flag), key);
    }
  }
  assert.doesNotMatch(page, /undefined|\[object/);
  assert.doesNotMatch(tables, /undefined|\[object/);
});

Deno.test("defaults are shown as they would be written", () => {
  const shown = (key: string) => {
    const setting = entries.find(([name]) => name === key)?.[1];
    return setting === undefined ? undefined : [shownFlag(setting), shownDefault(setting)];
  };

  assert.deepEqual(shown("refreshTtlMs"), ["--refresh-token-ttl DURATION", "168h"]);
  assert.deepEqual(shown("banner"), ["--[no-]banner", "true"]);
  assert.deepEqual(shown("debug"), ["--debug", "false"]);
  assert.deepEqual(shown("metricsAddr"), ["--metrics-addr HOST:PORT", "127.0.0.1:9090"]);
  assert.deepEqual(shown("allowSubs"), ["--allow-subs A,B,…", undefined]);
});
