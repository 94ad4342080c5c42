/**
 * The gate: `deno task ok`. Stops at the first step that fails. `--no-tests` leaves the tests out; other arguments go
 * to them.
 */
import { run } from "./run.ts";

const steps: readonly (readonly string[])[] = [
  ["fmt", "--check", "--quiet"],
  ["lint", "--quiet"],
  ["check", "--quiet", "main.ts", "lib/", "scripts/", "tests/"],
  ["run", "-A", "scripts/check_imports.ts"],
  ["run", "-A", "scripts/gen_docs.ts", "--check"],
  ...(Deno.args.includes("--no-tests")
    ? []
    : [["run", "-A", "scripts/test.ts", "--trace-leaks", ...Deno.args]]),
];

for (const step of steps) {
  console.error(`> deno ${step.join(" ")}`);
  const code = await run(Deno.execPath(), step, { DENO_NO_UPDATE_CHECK: "1" });
  if (code !== 0) {
    console.error(`Failed: deno ${step.join(" ")}`);
    Deno.exit(code);
  }
}
console.error("ok");
