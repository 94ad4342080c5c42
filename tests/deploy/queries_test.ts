/** The queries of the dashboard and of the alert playbook, read by Prometheus' own parser. */
import assert from "node:assert/strict";
import { testWithService } from "../support/services.ts";

const root = new URL("../../", import.meta.url);

interface Panel {
  title: string;
  targets?: { expr: string }[];
}

async function queries(): Promise<string[]> {
  const dashboard = JSON.parse(
    await Deno.readTextFile(new URL("scripts/deploy/monitoring/dashboard.json", root)),
  );
  const shown = (dashboard.panels as Panel[]).map(({ title, targets = [] }) => {
    assert.ok(targets.length > 0, `${title} shows nothing`);
    return targets.map(({ expr }) => expr);
  });
  const playbook = await Deno.readTextFile(new URL("docs/alerts.md", root));
  const asked = [...playbook.matchAll(/`((?:sum|min|max|rate|histogram_quantile)\b[^`]*\([^`]*)`/g)]
    .map(([, query = ""]) => query.replaceAll(/\s+/g, " "));
  assert.ok(asked.length >= 8, String(asked.length));
  return [...shown.flat(), ...asked];
}

testWithService("promtool", "every query of the dashboard and of the playbook is one", async (path) => {
  const all = await queries();
  const rules = all.map((expr, at) => ({ record: `query:${at}`, expr }));
  const file = await Deno.makeTempFile({ suffix: ".yaml" });
  try {
    // JSON is YAML.
    await Deno.writeTextFile(file, JSON.stringify({ groups: [{ name: "queries", rules }] }));
    const { success, stdout, stderr } = await new Deno.Command(path, { args: ["check", "rules", file] })
      .output();
    assert.ok(success, new TextDecoder().decode(stderr));
    assert.match(new TextDecoder().decode(stdout), new RegExp(`\\b${all.length} rules found`));
  } finally {
    await Deno.remove(file);
  }
});
