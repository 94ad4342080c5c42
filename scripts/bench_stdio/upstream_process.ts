/** A small upstream in a process of its own, so that it does not share the clients' processor time. */
import { textLines } from "../../tests/support/lines.ts";

/** Starts it and waits until it listens. */
export async function startUpstreamProcess(): Promise<AsyncDisposable & { readonly url: string }> {
  const program = new URL("./upstream.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", program],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let url = "";
  for await (const line of child.stdout.pipeThrough(textLines())) {
    url = line;
    break;
  }
  return {
    url,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
    },
  };
}
