/**
 * Writes what follows from tables in the code: `docs/configuration.md`, the tables between the `settings` markers of
 * the README, and the one between the `metrics` markers of docs/metrics.md. With `--check` it writes nothing and fails when something is not up to date.
 */
import { metricRows } from "./docs/metrics.ts";
import { configurationPage, readmeTables } from "./docs/settings.ts";

const root = new URL("../", import.meta.url);

async function current(file: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(new URL(file, root));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The document with something new between its markers; as it is when it has none. */
function withBetween(document: string, name: string, text: string): string {
  const begin = `<!-- ${name}: made by \`deno task docs\` -->`;
  const from = document.indexOf(begin);
  const to = document.indexOf(`<!-- /${name} -->`);
  if (from === -1 || to < from) return document;
  return `${document.slice(0, from + begin.length)}\n\n${text}\n\n${document.slice(to)}`;
}

/** The file with something new between its markers, formatted; `undefined` when there is no such file. */
async function renewed(file: string, name: string, text: string): Promise<string | undefined> {
  const document = await current(file);
  return document === undefined ? undefined : await formatted(withBetween(document, name, text));
}

/** As `deno fmt` leaves it, so that the two never disagree. */
async function formatted(text: string): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext", "md", "-"],
    cwd: root,
    stdin: "piped",
    stdout: "piped",
  });
  const child = command.spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { success, stdout } = await child.output();
  if (!success) throw new Error("deno fmt failed");
  return new TextDecoder().decode(stdout);
}

const check = Deno.args.includes("--check");
const stale: string[] = [];
const wanted: readonly (readonly [string, string | undefined])[] = [
  ["docs/configuration.md", await formatted(configurationPage())],
  ["README.md", await renewed("README.md", "settings", readmeTables())],
  ["docs/metrics.md", await renewed("docs/metrics.md", "metrics", metricRows())],
];
for (const [file, text] of wanted) {
  if (text === undefined || text === await current(file)) continue;
  stale.push(file);
  if (!check) await Deno.writeTextFile(new URL(file, root), text);
}
for (const file of stale) {
  console.log(check ? `${file} is not up to date: run deno task docs` : `wrote ${file}`);
}
if (check && stale.length > 0) Deno.exit(1);
