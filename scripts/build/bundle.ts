import { ScriptError } from "../ending.ts";
import { run } from "../run.ts";
import { mergeStart } from "./merge.ts";
import type { Stamp } from "./stamp.ts";

/**
 * Bundles `main.ts` and all it needs into minified files in `folder`, the stamp evaluated first; returns the path of
 * the first one. What is imported lazily stays in files of its own: in one file everything would be read at each
 * start, which cost `--version` 88 ms of CPU instead of 34.
 */
export async function bundle(folder: string, stamp: Stamp): Promise<string> {
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  await Deno.mkdir(folder, { recursive: true });
  const code = await run(Deno.execPath(), [
    "bundle",
    "--quiet",
    "--minify",
    "--code-splitting",
    "--platform",
    "deno",
    "--outdir",
    folder,
    "main.ts",
  ]);
  if (code !== 0) throw new ScriptError(`Cannot bundle main.ts: deno bundle ended with ${code}`);
  await requireLater(folder);
  await mergeStart(folder);
  await keepToAscii(folder);
  const path = `${folder}/main.js`;
  const text = await Deno.readTextFile(path);
  await Deno.writeTextFile(`${folder}/stamp.js`, `globalThis.mcpDoormanBuild=${JSON.stringify(stamp)};\n`);
  await Deno.writeTextFile(path, `import "./stamp.js";\n${text}`);
  return path;
}

/**
 * The bundler makes a `require` for the packages of CommonJS at every start, needed or not, which takes 5 ms of CPU
 * where permissions are not all given; now the first who calls it makes it. It is there to be called, without
 * `require.resolve` and the like.
 */
async function requireLater(folder: string): Promise<void> {
  const atOnce =
    /import\{createRequire as ([\w$]+)\} from "node:module";var ([\w$]+)=\1\(import\.meta\.url\);/;
  let changed = 0;
  for await (const { name } of Deno.readDir(folder)) {
    const text = await Deno.readTextFile(`${folder}/${name}`);
    const later = text.replace(
      atOnce,
      (_, __, require) =>
        `var ${require}=(id)=>(${require}=process.getBuiltinModule("node:module").createRequire(import.meta.url))(id);`,
    );
    if (later === text) continue;
    await Deno.writeTextFile(`${folder}/${name}`, later);
    changed++;
  }
  if (changed !== 1) {
    throw new ScriptError(`Cannot put off the bundler's require: it was found in ${changed} files`);
  }
}

/** Escapes what is not ASCII: the engine then keeps a source with one byte for each character instead of two. */
async function keepToAscii(folder: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    const text = await Deno.readTextFile(`${folder}/${name}`);
    const escaped = text.replaceAll(
      /[\u0080-\uffff]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
    if (escaped !== text) await Deno.writeTextFile(`${folder}/${name}`, escaped);
  }
}
