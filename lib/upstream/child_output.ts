import type { Logger } from "../base/log.ts";

const maxLineLength = 4_096;

/** Writes what a child prints into our log, line by line; a line that never ends is cut. */
export async function logOutput(
  output: ReadableStream<Uint8Array>,
  kind: "stdout" | "stderr",
  log: Logger,
): Promise<void> {
  let held = "";
  try {
    for await (const text of output.pipeThrough(new TextDecoderStream())) {
      const lines = (held + text).split(/\r\n|\n|\r/);
      held = lines.pop() ?? "";
      for (const line of lines) if (line !== "") log.info("upstream_output", { kind, detail: line });
      if (held.length > maxLineLength) {
        log.info("upstream_output", { kind, detail: held });
        held = "";
      }
    }
    if (held !== "") log.info("upstream_output", { kind, detail: held });
  } catch {
    // The pipe broke with the child.
  }
}
