import { run } from "../run.ts";
import type { Stamp } from "./stamp.ts";

/** The part with the MCP SDK, which the program loads by itself when the doctor logs in; it lies beside `main.js`. */
const apart = { source: "lib/commands/doctor/tools_check.ts", name: "tools_check.js" };

/** What `bundle` made. */
export interface Bundled {
  /** The program. */
  readonly main: string;
  /** Files that it reads at run time, to be included. */
  readonly include: readonly string[];
}

/** Bundles `main.ts` and all it needs into one minified file in `folder`, the stamp in front. */
export async function bundle(folder: string, stamp: Stamp): Promise<Bundled> {
  await Deno.mkdir(folder, { recursive: true });
  const bundled = `${folder}/bundled.js`;
  await bundleOne("main.ts", bundled);
  await bundleOne(apart.source, `${folder}/${apart.name}`);
  const path = `${folder}/main.js`;
  const text = await Deno.readTextFile(bundled);
  await Deno.writeTextFile(path, `globalThis.mcpDoormanBuild=${JSON.stringify(stamp)};\n${text}`);
  return { main: path, include: [`${folder}/${apart.name}`] };
}

async function bundleOne(source: string, output: string): Promise<void> {
  const code = await run(Deno.execPath(), [
    "bundle",
    "--quiet",
    "--minify",
    "--platform",
    "deno",
    "--output",
    output,
    source,
  ]);
  if (code !== 0) throw new Error(`Cannot bundle ${source}: deno bundle ended with ${code}`);
}
