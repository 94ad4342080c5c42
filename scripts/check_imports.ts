/**
 * The shape of the source as a program. A file imports from its own folder or from a lower layer; folders of one layer
 * do not see each other; each npm package has its home; no file of ours is longer than 300 lines.
 *
 *     deno run -A scripts/check_imports.ts [root]
 */

/** From the bottom up. */
const layers: readonly (readonly string[])[] = [
  ["base"],
  ["oauth", "crypto"],
  ["store", "idp", "outbound", "upstream"],
  ["inbound", "stdio"],
  ["http"],
  ["config"],
  ["modes", "commands"],
];

/** Where a package may be imported, as path prefixes; a package that is not named here is for tests and scripts only. */
const homes: Readonly<Record<string, readonly string[]>> = {
  "@decimalturn/toml-patch": ["lib/commands/install/"],
  "@modelcontextprotocol/sdk": ["lib/commands/"],
  "eventsource-parser": ["lib/stdio/"],
  "hono": ["lib/http/", "lib/inbound/"],
  "ioredis": ["lib/store/redis.ts"],
  "jose": ["lib/crypto/"],
  "jsonc-parser": ["lib/commands/install/"],
  "oauth4webapi": ["lib/oauth/client.ts"],
  "open": ["lib/base/browser.ts"],
  "p-retry": ["lib/"],
  "prom-client": ["lib/http/"],
  "rate-limiter-flexible": ["lib/http/"],
  "valibot": ["lib/"],
};

const maxLines = 300;

/** A file of the repository; the path is relative to its root, with slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** One line for each breach, in the order of the files. */
export function findBreaches(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => [...lengthBreaches(file), ...importBreaches(file)]);
}

function lengthBreaches({ path, text }: SourceFile): string[] {
  const lines = text.split("\n").length - 1;
  return lines > maxLines ? [`${path}: ${lines} lines, ${maxLines} at most`] : [];
}

function importBreaches({ path, text }: SourceFile): string[] {
  const ours = path === "main.ts" || path.startsWith("lib/");
  if (!ours) return [];
  const code = withoutComments(text);
  const breaches = [...code.matchAll(/\bimport\s*\(\s*(?![\s"'])/g)]
    .map(() => `${path}: imports something that is not a plain string`);
  for (const specifier of importsOf(code)) {
    const breach = specifier.startsWith(".") ? layerBreach(path, specifier) : packageBreach(path, specifier);
    if (breach !== undefined) breaches.push(`${path}: imports ${specifier}: ${breach}`);
  }
  return breaches;
}

/** The specifiers of static, side-effect, re-exporting and dynamic imports, and of imports inside types. */
export function importsOf(code: string): string[] {
  const patterns = [
    /\b(?:import|export)\b[^;"'`()]*?\bfrom\s*["']([^"']+)["']/g,
    /\bimport\s*["']([^"']+)["']/g,
    /\bimport\s*\(\s*["']([^"']+)["']/g,
  ];
  return patterns.flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[1] ?? ""));
}

function layerBreach(path: string, specifier: string): string | undefined {
  const target = new URL(specifier, `file:///${path}`).pathname.slice(1);
  if (path === "main.ts") return target.startsWith("lib/") ? undefined : "main.ts imports from lib/ only";
  const [from, to] = [layerOf(path), layerOf(target)];
  if (from === undefined) return "its folder is in no layer";
  if (to === undefined) return "lib/ imports from lib/ only";
  if (folderOf(path) === folderOf(target) || to < from) return undefined;
  return to === from ? "folders of one layer do not see each other" : "that layer is above";
}

function packageBreach(path: string, specifier: string): string | undefined {
  if (specifier.startsWith("node:")) return undefined;
  if (/^[a-z]+:/.test(specifier)) return "packages are named in deno.json only";
  const parts = specifier.split("/");
  const name = specifier.startsWith("@") ? parts.slice(0, 2).join("/") : parts[0] ?? "";
  const allowed = homes[name];
  if (allowed === undefined) return "a package for tests and scripts only";
  return allowed.some((home) => path.startsWith(home)) ? undefined : `its home is ${allowed.join(", ")}`;
}

function folderOf(path: string): string {
  return /^lib\/([^/]+)\//.exec(path)?.[1] ?? "";
}

function layerOf(path: string): number | undefined {
  const found = layers.findIndex((folders) => folders.includes(folderOf(path)));
  return found < 0 ? undefined : found;
}

/** The code with each comment replaced by a space; strings and templates are left as they are. */
export function withoutComments(text: string): string {
  const token = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g;
  return text.replaceAll(token, (found) => found.startsWith("/") ? " " : found);
}

async function readSources(root: string): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  const visit = async (folder: string) => {
    const entries = await Array.fromAsync(Deno.readDir(`${root}/${folder}`));
    for (const entry of entries.sort((a, b) => a.name.localeCompare(b.name))) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory) await visit(path);
      else if (path.endsWith(".ts")) files.push({ path, text: await Deno.readTextFile(`${root}/${path}`) });
    }
  };
  await visit("lib");
  await visit("scripts");
  files.push({ path: "main.ts", text: await Deno.readTextFile(`${root}/main.ts`) });
  return files;
}

if (import.meta.main) {
  const files = await readSources(Deno.args[0] ?? ".");
  const breaches = findBreaches(files);
  for (const breach of breaches) console.error(breach);
  const lines = files.map((file) => file.text.split("\n").length - 1).sort((a, b) => a - b);
  console.error(
    `${files.length} files, median ${lines[lines.length >> 1]} lines, ${breaches.length} breaches`,
  );
  if (breaches.length > 0) Deno.exit(1);
}
