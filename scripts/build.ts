/**
 * Makes the executables: `deno task compile [--all] [--target=name] [--otel] [--out=dir]`.
 *
 *     main.ts -> minified files with the stamp in front -> dist/mcp-doorman
 *     --all   -> an archive for each platform and SHA256SUMS; what cannot be made here is told at the end
 *     --otel  -> with OpenTelemetry, which Deno fixes when a program is compiled (read from OTEL_* at run time)
 *
 * `deno compile` downloads its runtime. Where that is not possible, `DENORT_BIN` names the runtime and
 * `DENO_COMPILE` the Deno that it belongs to; `../shared/tools/compile-toolchain`, where present, provides both.
 */
import { parseArgs } from "node:util";
import { archive, type Target, targets, writeChecksums } from "./build/archive.ts";
import { bundle } from "./build/bundle.ts";
import { compile } from "./build/compile.ts";
import { readStamp } from "./build/stamp.ts";
import { endWith, ScriptError } from "./ending.ts";

await endWith(async () => {
  const { values } = parseArgs({
    options: {
      all: { type: "boolean", default: false },
      otel: { type: "boolean", default: false },
      target: { type: "string" },
      out: { type: "string", default: "dist" },
    },
  });
  const { all, otel, target, out } = values;
  const wanted = targets.filter(({ name }) => all || name === target);
  if (target !== undefined && wanted.length === 0) {
    throw new ScriptError(`--target is one of ${targets.map(({ name }) => name).join(", ")}`);
  }
  await Deno.mkdir(out, { recursive: true });
  const stamp = await readStamp();
  const source = await bundle(`${out}/build`, stamp);
  const name = otel ? "mcp-doorman-otel" : "mcp-doorman";
  if (wanted.length > 0) return await makeArchives(wanted, { source, out, name, otel });
  const output = `${out}/${name}${Deno.build.os === "windows" ? ".exe" : ""}`;
  await compile({ source, output, otel });
  const { size } = await Deno.stat(output);
  console.error(`${output}: ${(size / 1e6).toFixed(1)} MB, ${stamp.version} ${stamp.commit}`);
});

/** Makes what can be made, with checksums of it. @throws ScriptError with a line for each platform that cannot */
async function makeArchives(
  wanted: readonly Target[],
  { source, out, name, otel }: { source: string; out: string; name: string; otel: boolean },
): Promise<void> {
  const archives: string[] = [];
  const problems: string[] = [];
  for (const target of wanted) {
    try {
      const folder = `${out}/build/${target.name}`;
      await Deno.mkdir(folder, { recursive: true });
      const output = `${folder}/${name}${target.exe}`;
      await compile({ source, output, target, otel });
      archives.push(await archive(output, `${out}/${name}-${target.name}`, target));
      console.error(archives.at(-1));
    } catch (error) {
      if (!(error instanceof ScriptError)) throw error;
      problems.push(error.message);
    }
  }
  await writeChecksums(out, archives);
  if (problems.length > 0) throw new ScriptError(problems.join("\n"));
}
