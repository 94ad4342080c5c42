/**
 * Runs the tests: `deno task test [deno test options] [files]`. Says which real servers it did not find, and ends with
 * `N passed, N failed`. What tests log, also where nobody listens, and print is searched for secrets.
 * `REQUIRE_SERVICES=1` makes a missing server a failure, `MCP_DOORMAN_BIN` runs the end-to-end
 * tests on a binary.
 */
import { allServices } from "../tests/support/services.ts";
import { runAndRead } from "./run.ts";

const missing = allServices().filter((service) => service.path === undefined);
for (const service of missing) {
  console.error(`Not found, so its tests are skipped: ${service.name} (${service.hint})`);
}

const files = Deno.args.filter((arg) => !arg.startsWith("-"));
const { code, output } = await runAndRead(Deno.execPath(), [
  "test",
  "-A",
  "--no-prompt",
  "--parallel",
  `--preload=${import.meta.dirname}/../tests/support/silent_log.ts`,
  ...Deno.args,
  ...(files.length === 0 ? ["tests/"] : []),
], { DENO_NO_UPDATE_CHECK: "1" });

const summary = [...output.matchAll(/\| (\d+) passed(?: \([^)]*\))? \| (\d+) failed/g)].at(-1);
const [passed, failed] = [Number(summary?.[1] ?? 0), Number(summary?.[2] ?? 0)];
console.log(`${passed} passed, ${code !== 0 && failed === 0 ? 1 : failed} failed`);
Deno.exit(code === 0 && summary === undefined ? 1 : code);
