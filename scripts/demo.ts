/**
 * Everything at once on this machine, with nothing installed but Deno: a test IdP, a sample MCP server, and mcp-doorman
 * in front. `deno task demo [--stdio] [--validating] [--port=8000] [--once]`; Ctrl-C ends all.
 */
import { parseArgs } from "node:util";
import { httpDemo } from "./demo/http.ts";
import { stdioDemo } from "./demo/stdio.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    stdio: { type: "boolean", default: false },
    validating: { type: "boolean", default: false },
    port: { type: "string", default: "8000" },
    once: { type: "boolean", default: false },
  },
});

const ended = new Promise<void>((resolve) => {
  Deno.addSignalListener("SIGINT", () => resolve());
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", () => resolve());
});

try {
  const demo = values.stdio ? stdioDemo : httpDemo;
  await demo({
    validating: values.validating,
    port: Number(values.port),
    until: values.once ? Promise.resolve() : ended,
  });
} catch (error) {
  console.error(`The demo ended: ${error instanceof Error ? error.message : error}`);
  Deno.exit(1);
}
Deno.exit(0);
