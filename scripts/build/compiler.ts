import { fileURLToPath } from "node:url";
import { ScriptError } from "../ending.ts";

/** A Deno that can compile here, and what its environment must hold. */
export interface Compiler {
  readonly deno: string;
  readonly env: Record<string, string>;
  /** The only target that the runtime at hand is good for; absent: any, by download. */
  readonly only?: string;
}

/** The target of the machine that this runs on. */
const here = Deno.build.target;

const toolchain = new URL("../../../shared/tools/compile-toolchain", import.meta.url);

let found: Promise<Compiler> | undefined;

/** This Deno, unless it cannot download its runtime here and another with a runtime at hand is there. */
export function findCompiler(): Promise<Compiler> {
  found ??= find();
  return found;
}

async function find(): Promise<Compiler> {
  const denort = Deno.env.get("DENORT_BIN");
  if (denort !== undefined) {
    return { deno: Deno.env.get("DENO_COMPILE") ?? Deno.execPath(), env: { DENORT_BIN: denort }, only: here };
  }
  const own = { deno: Deno.execPath(), env: {} };
  if (!await exists(toolchain) || await compiles(own)) return own;
  const folder = fileURLToPath(new URL("../../.toolchain", import.meta.url));
  const { success, stdout, stderr } = await new Deno.Command(fileURLToPath(toolchain), { args: [folder] })
    .output();
  if (!success) throw new ScriptError(`Cannot get a compiler: ${new TextDecoder().decode(stderr)}`);
  const lines = new TextDecoder().decode(stdout);
  const value = (name: string) => new RegExp(`^${name}=([^;\\n]+)`, "m").exec(lines)?.[1] ?? "";
  return { deno: value("DENO"), env: { DENORT_BIN: value("DENORT_BIN") }, only: here };
}

/** Whether an empty program can be compiled within half a minute. */
async function compiles(compiler: Compiler): Promise<boolean> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/empty.js`, "");
    const child = new Deno.Command(compiler.deno, {
      args: ["compile", "--no-config", "--quiet", "--output", `${folder}/empty`, `${folder}/empty.js`],
      stdout: "null",
      stderr: "null",
      signal: AbortSignal.timeout(30_000),
    });
    return (await child.output()).success;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function exists(url: URL): Promise<boolean> {
  return await Deno.stat(url).then(() => true, () => false);
}
