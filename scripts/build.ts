/**
 * Makes the executables: `deno task compile [--all] [--otel] [--out=dir]`.
 *
 *     main.ts -> one minified file with the stamp in front -> dist/mcp-doorman
 *     --all   -> an archive for each platform and SHA256SUMS
 *     --otel  -> with OpenTelemetry, which Deno fixes when a program is compiled (read from OTEL_* at run time)
 *
 * `deno compile` downloads its runtime. Where that is not possible, `DENORT_BIN` names the runtime and
 * `DENO_COMPILE` the Deno that it belongs to; `../shared/tools/compile-toolchain`, where present, provides both.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { archive, type Target, targets, writeChecksums } from "./build/archive.ts";
import { bundle } from "./build/bundle.ts";
import { findCompiler } from "./build/compiler.ts";
import { readStamp } from "./build/stamp.ts";
import { run } from "./run.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    all: { type: "boolean", default: false },
    otel: { type: "boolean", default: false },
    target: { type: "string" },
    out: { type: "string", default: "dist" },
  },
});

/** The union of what the modes need; each mode gives back the rest when it starts. No FFI, no imports from the net. */
const permissions = [
  "--allow-net",
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-run",
  "--allow-sys",
];

/**
 * A small young generation takes 40 % off the memory under load for hardly any more work; a bound of the old one makes
 * the engine collect before it asks for more (RSS under load 140 -> 110 MiB).
 */
const v8Flags = "--v8-flags=--max-semi-space-size=2,--max-old-space-size=1024";

async function compile(source: string, output: string, target: Target | undefined): Promise<void> {
  const compiler = await findCompiler();
  if (target !== undefined && compiler.only !== undefined && target.triple !== compiler.only) {
    throw new Error(`Cannot compile ${target.name} here: the runtime at hand is for ${compiler.only} only`);
  }
  const code = await run(compiler.deno, [
    "compile",
    "--quiet",
    "--no-check",
    "--no-config",
    "--no-lock",
    "--no-npm",
    "--no-remote",
    "--no-prompt",
    "--unstable-kv",
    "--unstable-net",
    ...(values.otel ? ["--unstable-otel"] : []),
    v8Flags,
    ...permissions,
    ...(target === undefined ? [] : ["--target", target.triple]),
    "--output",
    output,
    source,
  ], { ...compiler.env, ...(values.otel ? { OTEL_DENO: "true" } : {}) });
  if (code !== 0) throw new Error(`Cannot compile ${output}: deno compile ended with ${code}`);
  if (target !== undefined && target.triple !== Deno.build.target) return;
  // A runtime of another Deno than the one that compiled gives a file that does not start.
  const { success } = await new Deno.Command(resolve(output), { args: ["--version"], stdout: "null" })
    .output();
  if (!success) {
    throw new Error(
      `Cannot use ${output}: it does not start; is the runtime (DENORT_BIN) of the compiling Deno?`,
    );
  }
}

const out = values.out;
const name = values.otel ? "mcp-doorman-otel" : "mcp-doorman";
await Deno.mkdir(out, { recursive: true });
const stamp = await readStamp();
const source = await bundle(`${out}/build`, stamp);
if (values.all || values.target !== undefined) {
  const wanted = targets.filter((target) => values.all || target.name === values.target);
  if (wanted.length === 0) {
    throw new Error(`--target is one of ${targets.map((target) => target.name).join(", ")}`);
  }
  const archives: string[] = [];
  for (const target of wanted) {
    const folder = `${out}/build/${target.name}`;
    await Deno.mkdir(folder, { recursive: true });
    const executable = `${folder}/${name}${target.exe}`;
    await compile(source, executable, target);
    archives.push(await archive(executable, `${out}/${name}-${target.name}`, target));
  }
  await writeChecksums(out, archives);
} else {
  const output = `${out}/${name}${Deno.build.os === "windows" ? ".exe" : ""}`;
  await compile(source, output, undefined);
  const { size } = await Deno.stat(output);
  console.error(`${output}: ${(size / 1e6).toFixed(1)} MB, ${stamp.version} ${stamp.commit}`);
}
