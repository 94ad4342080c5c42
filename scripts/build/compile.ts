import { resolve } from "node:path";
import { ScriptError } from "../ending.ts";
import { run } from "../run.ts";
import type { Target } from "./archive.ts";
import { findCompiler } from "./compiler.ts";

/** The union of what the modes need; each mode gives back the rest when it starts. No FFI, no imports from the net. */
export const permissions = [
  "--allow-net",
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-run",
  "--allow-sys",
];

/**
 * A small young generation takes a third off the memory under load; half of this size would be collected twice as often
 * (40 us of a call instead of 25), twice of it takes 8 MB more. It has that size from the first moment: grown to it
 * step by step, it is collected while the program starts, which takes 2 ms and keeps 2 MB that are garbage. A bound of
 * the old one makes the engine collect before it asks for more (RSS under load 140 -> 110 MiB). The baseline compiler
 * waits until more is worth compiling than what runs once at a start, which saves a start 3 ms of CPU.
 */
export const v8Flags = "--v8-flags=" + [
  "--min-semi-space-size=4",
  "--max-semi-space-size=4",
  "--max-old-space-size=1024",
  "--baseline-batch-compilation-threshold=131072",
].join(",");

/** What is compiled. */
export interface Compilation {
  /** The program's first file. */
  readonly source: string;
  readonly output: string;
  /** Absent: this machine's. */
  readonly target?: Target;
  /** With OpenTelemetry. */
  readonly otel: boolean;
}

/** Makes the executable, and starts it once where it can be started here. @throws ScriptError */
export async function compile({ source, output, target, otel }: Compilation): Promise<void> {
  const compiler = await findCompiler();
  if (target !== undefined && compiler.only !== undefined && target.triple !== compiler.only) {
    throw new ScriptError(
      `Cannot compile ${target.name} here: the runtime at hand is for ${compiler.only} only`,
    );
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
    // It would be kept under a name that anybody can guess in the folder for temporary files, and is run as it is found
    // there, whoever put it there.
    "--no-code-cache",
    "--unstable-kv",
    "--unstable-net",
    ...(otel ? ["--unstable-otel"] : []),
    v8Flags,
    ...permissions,
    ...(target === undefined ? [] : ["--target", target.triple]),
    "--output",
    output,
    source,
  ], { ...compiler.env, ...(otel ? { OTEL_DENO: "true" } : {}) });
  if (code !== 0) throw new ScriptError(`Cannot compile ${output}: deno compile ended with ${code}`);
  if (target !== undefined && target.triple !== Deno.build.target) return;
  // A runtime of another Deno than the one that compiled gives a file that does not start.
  const { success } = await new Deno.Command(resolve(output), { args: ["--version"], stdout: "null" })
    .output();
  if (!success) {
    throw new ScriptError(
      `Cannot use ${output}: it does not start; is the runtime (DENORT_BIN) of the compiling Deno?`,
    );
  }
}
