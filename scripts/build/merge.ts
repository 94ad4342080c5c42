/**
 * The files that starting a mode loads, made one: the bundler puts what two lazy parts share into a file of its own,
 * and to load thirty of these takes 7 ms of CPU more than to load them as one.
 *
 *     start-….js -> chunk-A.js, chunk-B.js …   becomes   start.js, holding all of them
 *     chunk-A.js                               becomes   export {…} from "./start.js"
 *
 * Every module is still there once, so that a class is the same class for whoever imports it.
 */
import { ScriptError } from "../ending.ts";
import { run } from "../run.ts";

/** What a bundled file exports and imports. */
interface Bundled {
  readonly exports: readonly string[];
  readonly imports: readonly string[];
  readonly lazyImports: readonly string[];
}

/** Merges what `main.js` in this folder imports lazily as `start-….js`. @throws ScriptError */
export async function mergeStart(folder: string): Promise<void> {
  const main = await Deno.readTextFile(`${folder}/main.js`);
  const start = /import\("\.\/(start-\w+\.js)"\)/.exec(main)?.[1];
  if (start === undefined) throw new ScriptError("Cannot merge the start: main.js does not import it lazily");
  const before = await closure(folder, "main.js");
  const files = new Map([...await closure(folder, start)].filter(([name]) => !before.has(name)));

  const names = [...files.keys()];
  const alias = (name: string, exported: string) => `part${names.indexOf(name)}_${exported}`;
  const entry = [...files].map(([name, { exports }]) =>
    `export{${exports.map((exported) => `${exported} as ${alias(name, exported)}`)}}from"./${name}";\n`
  );
  const outside = new Set([
    ...before.keys(),
    ...[...files.values()].flatMap(({ lazyImports }) => lazyImports),
  ]);
  await Deno.writeTextFile(`${folder}/start.js`, entry.join(""));
  const code = await run(Deno.execPath(), [
    "bundle",
    "--quiet",
    "--minify",
    "--platform",
    "deno",
    ...[...outside].flatMap((name) => ["--external", `./${name}`]),
    "--outdir",
    `${folder}/merged`,
    `${folder}/start.js`,
  ]);
  if (code !== 0) throw new ScriptError(`Cannot merge the start: deno bundle ended with ${code}`);
  await Deno.rename(`${folder}/merged/start.js`, `${folder}/start.js`);
  await Deno.remove(`${folder}/merged`);
  for (const [name, { exports }] of files) {
    const again = exports.map((exported) => `${alias(name, exported)} as ${exported}`);
    await Deno.writeTextFile(`${folder}/${name}`, `export{${again}}from"./start.js";\n`);
  }
  const direct = main.replace(
    `import("./${start}")`,
    `import("./start.js").then((m)=>({runMode:m.${alias(start, "runMode")}}))`,
  );
  await Deno.writeTextFile(`${folder}/main.js`, direct);
}

/** A file and all that it imports at once, by name. */
async function closure(folder: string, first: string): Promise<Map<string, Bundled>> {
  const found = new Map<string, Bundled>();
  const queue = [first];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (found.has(name)) continue;
    const file = bundled(await Deno.readTextFile(`${folder}/${name}`), name);
    found.set(name, file);
    queue.push(...file.imports);
  }
  return found;
}

/** What the bundler wrote: imports begin with `import` or `from` and a name in quotes, exports are one list at the end. */
function bundled(text: string, name: string): Bundled {
  const all = (pattern: RegExp) => [...text.matchAll(pattern)].map(([, found = ""]) => found);
  const list = /export\{([^{}]*)\};\s*$/.exec(text)?.[1];
  if (list === undefined && /\bexport\b/.test(text.slice(-200))) {
    throw new ScriptError(`Cannot merge the start: the exports of ${name} are not a list at its end`);
  }
  return {
    exports: list === undefined ? [] : list.split(",").map((part) => part.split(" as ").at(-1)?.trim() ?? ""),
    imports: all(/\b(?:from|import)\s*"\.\/([^"]+)"/g),
    lazyImports: all(/\bimport\("\.\/([^"]+)"\)/g),
  };
}
