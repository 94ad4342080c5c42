/** Documents that name code, tests, metrics, causes and each other are held to what is there. */
import assert from "node:assert/strict";
import { failureTable } from "../lib/inbound/bridge/failure_table.ts";

const root = new URL("../", import.meta.url);

async function read(path: string): Promise<string> {
  return await Deno.readTextFile(new URL(path, root));
}

async function files(folder: string, ending: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(new URL(folder, root))) {
    const path = `${folder}${entry.name}`;
    if (entry.isDirectory) found.push(...await files(`${path}/`, ending));
    else if (path.endsWith(ending)) found.push(path);
  }
  return found.sort();
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(new URL(path, root)).then(() => true, () => false);
}

Deno.test("every file and every document that a document names exists", async () => {
  const missing: string[] = [];
  for (const document of ["README.md", ...await files("docs/", ".md")]) {
    const text = await read(document);
    for (const [, path = ""] of text.matchAll(/`((?:lib|tests|scripts|docs)\/[\w./-]+\.\w+)`/g)) {
      if (!await exists(path)) missing.push(`${document}: ${path}`);
    }
    for (const [, link = ""] of text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)/g)) {
      const path = new URL(link, new URL(document, "file:///")).pathname.slice(1);
      if (!await exists(path)) missing.push(`${document}: ${link}`);
    }
  }

  assert.deepEqual(missing, []);
});

Deno.test("every threat has its number, its code and its test, and all are there", async () => {
  const rows = [...(await read("docs/threat-model.md")).matchAll(/^\| (\d+)\s+\| ([STRIDE])\s+\|(.*)$/gm)];
  const numbers = rows.map(([, number]) => Number(number)).sort((a, b) => a - b);
  const lacking: string[] = [];
  for (const [, number, , text = ""] of rows) {
    const [, threat = "", answer = "", code = "", test = ""] = [
      "",
      ...text.split("|").map((cell) => cell.trim()),
    ];
    const paths = [...code.matchAll(/`(lib\/[^`]+)`/g), ...test.matchAll(/`(tests\/[^`]+_test\.ts)`/g)];
    const there = await Promise.all(paths.map(([, path = ""]) => exists(path)));
    const whole = threat !== "" && answer !== "" && paths.length >= 2 && there.every(Boolean);
    if (!whole) lacking.push(`${number}: ${text}`);
  }

  assert.deepEqual(lacking, []);
  assert.ok(rows.length >= 30);
  assert.deepEqual(numbers, Array.from(rows, (_, at) => at + 1));
  assert.deepEqual([...new Set(rows.map(([, , kind]) => kind))].sort(), [..."DEIRST"]);
});

Deno.test("every test that a document names has tests in it", async () => {
  const empty: string[] = [];
  for (const document of await files("docs/", ".md")) {
    for (const [, path = ""] of (await read(document)).matchAll(/`(tests\/[\w./-]+_test\.ts)`/g)) {
      if (!/\b(Deno\.test|testWithService|test)\(/.test(await read(path))) empty.push(`${document}: ${path}`);
    }
  }

  assert.deepEqual(empty, []);
});

Deno.test("docs/metrics.md lists the metrics of the source, no more and no fewer", async () => {
  const inSource = new Set<string>();
  for (const path of await files("lib/", ".ts")) {
    for (const [name] of (await read(path)).matchAll(/\bmcp_(?:auth|doorman)_[a-z0-9_]+/g)) {
      inSource.add(name);
    }
  }
  const inDocument = [...(await read("docs/metrics.md")).matchAll(/^\| `(mcp_[a-z0-9_]+)`/gm)].map((
    [, name],
  ) => name);

  assert.deepEqual([...inDocument].sort(), [...inSource].sort());
});

Deno.test("alert rules and dashboard ask for metrics that exist, and the playbook has every alert", async () => {
  const alerts = await read("scripts/deploy/monitoring/alerts.yaml");
  const tests = await read("scripts/deploy/monitoring/alerts_test.yaml");
  const dashboard = await read("scripts/deploy/monitoring/dashboard.json");
  const listed = await read("docs/metrics.md");
  const playbook = await read("docs/alerts.md");
  const names = [...alerts.matchAll(/alert: (\w+)/g)].map(([, name = ""]) => name);

  for (const [metric] of (alerts + dashboard).matchAll(/\bmcp_(?:auth|doorman)_[a-z0-9_]+/g)) {
    const family = metric.replace(/_bucket$/, "");
    assert.match(listed, new RegExp(`\`${family}\``), metric);
  }
  assert.ok(names.length > 8);
  for (const name of names) {
    assert.match(playbook, new RegExp(`^## ${name}$`, "m"));
    assert.match(
      tests,
      new RegExp(`alertname: ${name}, exp_alerts: \\[\\]`),
      `${name} is not among those that are quiet`,
    );
    assert.match(tests, new RegExp(`alertname: ${name}\\n\\s+exp_alerts:\\n\\s+- exp_labels`), name);
  }
});

Deno.test("docs/endpoints.md lists the causes of refusals with their status and code", async () => {
  const text = await read("docs/endpoints.md");
  const rows = [...text.matchAll(/^\| `(\w+)`\s*\| (\d{3})\s*\| `(\w+)`/gm)]
    .map(([, cause = "", status, code]) => [cause, `${status} ${code}`]);

  assert.deepEqual(
    Object.fromEntries(rows),
    Object.fromEntries(
      Object.entries(failureTable).map(([cause, [status, code]]) => [cause, `${status} ${code}`]),
    ),
  );
});
