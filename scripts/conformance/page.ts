/** docs/conformance.md has two parts, each written by a run of its own. */
import { serverHeading } from "./server_table.ts";

const page = new URL("../../docs/conformance.md", import.meta.url).pathname;

/** Writes one part anew and leaves the other as it is. */
export async function writePart(part: "clients" | "servers", text: string): Promise<void> {
  const old = await Deno.readTextFile(page);
  const at = old.includes(serverHeading) ? old.indexOf(serverHeading) : old.length;
  const clients = part === "clients" ? text : old.slice(0, at);
  const servers = part === "servers" ? text : old.slice(at);
  await Deno.writeTextFile(page, `${clients.trimEnd()}\n\n${servers}`.trimEnd() + "\n");
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", page] }).output();
}
