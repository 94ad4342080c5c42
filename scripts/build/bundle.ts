import { run } from "../run.ts";
import type { Stamp } from "./stamp.ts";

/** Bundles `main.ts` and all it needs into one minified file in `folder`, the stamp in front; returns its path. */
export async function bundle(folder: string, stamp: Stamp): Promise<string> {
  await Deno.mkdir(folder, { recursive: true });
  const bundled = `${folder}/bundled.js`;
  const code = await run(Deno.execPath(), [
    "bundle",
    "--quiet",
    "--minify",
    "--platform",
    "deno",
    "--output",
    bundled,
    "main.ts",
  ]);
  if (code !== 0) throw new Error(`Cannot bundle main.ts: deno bundle ended with ${code}`);
  const path = `${folder}/main.js`;
  const text = await Deno.readTextFile(bundled);
  await Deno.writeTextFile(path, `globalThis.mcpDoormanBuild=${JSON.stringify(stamp)};\n${text}`);
  return path;
}
