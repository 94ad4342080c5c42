import { fileURLToPath } from "node:url";
import { textLines } from "../../tests/support/lines.ts";

/** A running demo; the port is a free one, since 8000 may be taken where this runs. */
export interface Demo extends AsyncDisposable {
  readonly origin: string;
}

/** Starts `deno task demo` and waits until it says where it is. */
export async function startDemo(): Promise<Demo> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", fileURLToPath(new URL("../demo.ts", import.meta.url)), "--port=0"],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const lines = child.stdout.pipeThrough(textLines()).getReader();
  let origin: string | undefined;
  let all = false;
  while (!all) {
    const { value, done } = await lines.read();
    if (done) throw new Error("The demo ended");
    origin ??= /Connector\s+(\S+)\/mcp/.exec(value)?.[1];
    all = value.includes("Ctrl-C");
  }
  return {
    origin: origin ?? "",
    async [Symbol.asyncDispose]() {
      child.kill(Deno.build.os === "windows" ? "SIGKILL" : "SIGINT");
      await lines.cancel();
      await child.status;
    },
  };
}
