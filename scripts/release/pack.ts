/** Packs an executable that was made (and signed) before: `pack.ts <target>` writes dist/mcp-doorman-<target>.*. */
import { archive, targets } from "../build/archive.ts";

const target = targets.find(({ name }) => name === Deno.args[0]);
if (target === undefined) {
  throw new Error(`pack.ts needs one of ${targets.map(({ name }) => name).join(", ")}`);
}
console.log(
  await archive(
    `dist/build/${target.name}/mcp-doorman${target.exe}`,
    `dist/mcp-doorman-${target.name}`,
    target,
  ),
);
