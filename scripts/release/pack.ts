/** Packs an executable that was made (and signed) before: `pack.ts <target>` writes dist/mcp-doorman-<target>.*. */
import { archive, targets } from "../build/archive.ts";
import { endWith, ScriptError } from "../ending.ts";

await endWith(async () => {
  const target = targets.find(({ name }) => name === Deno.args[0]);
  if (target === undefined) {
    throw new ScriptError(`pack.ts needs one of ${targets.map(({ name }) => name).join(", ")}`);
  }
  const executable = `dist/build/${target.name}/mcp-doorman${target.exe}`;
  console.log(await archive(executable, `dist/mcp-doorman-${target.name}`, target));
});
