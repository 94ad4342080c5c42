/** docs/benchmarks.md: one section for each part of the benchmark, each written by its own part and no other. */

const file = new URL("../../docs/benchmarks.md", import.meta.url);
const head =
  "# Benchmarks\n\nEach section is written by `deno task bench --write`, on the machine that it names.\n";

/** What the figures were taken on, and what was measured. */
export function setting(binary: string | undefined): string {
  const { deno } = Deno.version;
  const what = binary === undefined ? "from source" : "the executable";
  return `${
    new Date().toISOString().slice(0, 10)
  }, ${Deno.build.target}, ${processor()}, Deno ${deno}, ${what}.`;
}

function processor(): string {
  const cores = `${navigator.hardwareConcurrency} cores`;
  try {
    const model = /^model name\s*:\s*(.+)$/m.exec(Deno.readTextFileSync("/proc/cpuinfo"))?.[1];
    return model === undefined ? cores : `${cores} of ${model.trim()}`;
  } catch {
    return cores;
  }
}

/** The document with the section `name` put in the place of the one that is there, or at the end. */
export function withSection(text: string, name: string, section: string): string {
  const begin = `<!-- ${name}: begin -->`;
  const end = `<!-- ${name}: end -->`;
  const whole = `${begin}\n\n${section.trim()}\n\n${end}\n`;
  const from = text.indexOf(begin);
  if (from < 0) return `${text.trimEnd()}\n\n${whole}`;
  const to = text.indexOf(end, from);
  if (to < 0) throw new Error(`Cannot write the section ${name}: it has no end in docs/benchmarks.md`);
  return text.slice(0, from) + whole + text.slice(to + end.length + 1);
}

/** Writes the section into docs/benchmarks.md, formatted. */
export async function writeSection(name: string, section: string): Promise<void> {
  const text = await Deno.readTextFile(file).catch(() => head);
  await Deno.writeTextFile(file, withSection(text, name, section));
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", file.pathname] }).output();
}
