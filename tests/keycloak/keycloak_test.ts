/** Against a real Keycloak, one for all cases: it takes half a minute to start. Run by `deno task test:keycloak`. */
import { type Keycloak, keycloakWanted, missingForKeycloak, startKeycloak } from "../support/keycloak.ts";
import { bridgeCases } from "./bridge_cases.ts";
import { composeCases } from "./compose_cases.ts";
import { doctorCases } from "./doctor_cases.ts";
import { remoteCases } from "./remote_cases.ts";
import { stdioCases } from "./stdio_cases.ts";

let keycloak: Keycloak | undefined;

Deno.test.beforeAll(async () => {
  if (!keycloakWanted) return;
  const missing = missingForKeycloak();
  if (missing.length > 0) throw new Error(`Not installed: ${missing.join(", ")}`);
  keycloak = await startKeycloak();
});

Deno.test.afterAll(async () => {
  await keycloak?.[Symbol.asyncDispose]();
});

for (
  const [claim, test] of Object.entries({
    ...remoteCases,
    ...bridgeCases,
    ...composeCases,
    ...stdioCases,
    ...doctorCases,
  })
) {
  Deno.test({
    name: `Keycloak, ${claim}`,
    ignore: !keycloakWanted,
    // The server's own pipes outlive each test.
    sanitizeResources: false,
    sanitizeOps: false,
    async fn() {
      if (keycloak !== undefined) await test(keycloak);
    },
  });
}
