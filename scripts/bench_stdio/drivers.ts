/** Runs the driver in Node and in Deno. */
import type { Findings, Order } from "./driver.ts";

/** What runs it. */
export type Runtime = "node" | "deno";

/** The driver as one file that every runtime takes; removed when disposed of. */
export async function bundleDriver(): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/driver.mjs`;
  const source = new URL("./driver.ts", import.meta.url).pathname;
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--platform", "deno", "--output", path, source],
  }).output();
  if (!success) throw new Error("Cannot bundle the driver of the benchmark");
  return { path, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

/** `undefined` when it is not installed. */
export async function versionOf(runtime: Runtime): Promise<string | undefined> {
  if (runtime === "deno") return `Deno ${Deno.version.deno}`;
  try {
    const { stdout } = await new Deno.Command("node", { args: ["--version"] }).output();
    return `Node ${new TextDecoder().decode(stdout).trim().slice(1)}`;
  } catch {
    return undefined;
  }
}

/** One client's round. @throws Error when it does not end well */
export async function drive(runtime: Runtime, path: string, order: Order): Promise<Findings> {
  const [program, args] = runtime === "node" ? ["node", []] : [Deno.execPath(), ["run", "-A", "--no-config"]];
  const { success, stdout } = await new Deno.Command(program, {
    args: [...args, path, JSON.stringify(order)],
    stdin: "null",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`The client "${order.way}" in ${runtime} did not end well`);
  return JSON.parse(new TextDecoder().decode(stdout));
}
