/** Makes the npm packages from the archives of a release: `npm.ts <dist> <out>`; every platform has to be there. */
import { targets } from "../build/archive.ts";
import { endWith, ScriptError } from "../ending.ts";
import { run } from "../run.ts";
import { writeMainPackage, writePlatformPackage } from "./npm_packages.ts";

await endWith(async () => {
  const [dist = "dist", out = "npm"] = Deno.args;
  const names: string[] = [];
  for (const target of targets) {
    const archive = `${dist}/mcp-doorman-${target.name}.${target.exe === "" ? "tar.gz" : "zip"}`;
    const folder = `${out}/platforms/${target.name}`;
    await Deno.mkdir(folder, { recursive: true });
    const unpacked = target.exe === ""
      ? await run("tar", ["-xzf", archive, "-C", folder])
      : await run("unzip", ["-qo", archive, "-d", folder]);
    if (unpacked !== 0) throw new ScriptError(`Cannot unpack ${archive}`);
    names.push(await writePlatformPackage(folder, target));
  }
  await writeMainPackage(`${out}/mcp-doorman`, names);
  console.log(`${names.length} platforms in ${out}`);
});
