/**
 * Writes what follows from the settings table: `docs/configuration.md` and the tables between the `settings` markers of
 * the README. With `--check` it writes nothing and fails when something is not up to date.
 */
import { configurationPage, readmeTables } from "./docs/settings.ts";

const root = new URL("../", import.meta.url);
const begin = "<!-- settings: made by `deno task docs` -->";
const end = "<!-- /settings -->";

async function current(file: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(new URL(file, root));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The README with new tables; as it is when it has no markers. */
function withTables(readme: string): string {
  const from = readme.indexOf(begin);
  const to = readme.indexOf(end);
  if (from === -1 || to < from) return readme;
  return `${readme.slice(0, from + begin.length)}\n\n${readmeTables()}\n\n${readme.slice(to)}`;
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
const readme = await current("README.md");
const wanted: readonly (readonly [string, string | undefined])[] = [
  ["docs/configuration.md", await formatted(configurationPage())],
  ["README.md", readme === undefined ? undefined : await formatted(withTables(readme))],
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
