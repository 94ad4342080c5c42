/** The suite's fixtures for the authorization extensions, turned on our token endpoint. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { suiteCommand } from "../../scripts/conformance/suite.ts";

const client = fileURLToPath(new URL("../conformance/extension_client.ts", import.meta.url));
const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
const command = `'${Deno.execPath()}' run -A --no-check --config '${config}' '${client}'`;

for (
  const [version, scenario, checks] of [
    ["0.1.16", "auth/client-credentials-basic", 1],
    ["0.1.16", "auth/client-credentials-jwt", 1],
    ["0.1.16", "auth/cross-app-access-complete-flow", 2],
    ["0.2.0-alpha.12", "auth/client-credentials-basic", 1],
    ["0.2.0-alpha.12", "auth/client-credentials-jwt", 1],
    ["0.2.0-alpha.12", "auth/enterprise-managed-authorization", 2],
  ] as const
) {
  Deno.test(`${scenario} of ${version}: the client that satisfies the suite gets through here too`, async () => {
    const args = ["--command", command, "--scenario", scenario, "--timeout", "60000"];

    const { code, output } = await suiteCommand({ version }, ["client", ...args]);

    assert.equal(code, 0, output);
    const passed = Number(/Passed: (\d+)\/\d+, 0 failed/.exec(output)?.[1] ?? 0);
    assert.ok(passed >= checks, output);
  });
}
