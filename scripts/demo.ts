/**
 * Everything at once on this machine, with nothing installed but Deno: a test IdP, a sample MCP server, and mcp-doorman
 * in front. `deno task demo [--stdio] [--validating] [--port=8000] [--once]`; Ctrl-C ends all.
 */
import { parseArgs } from "node:util";
import { httpDemo } from "./demo/http.ts";
import { stdioDemo } from "./demo/stdio.ts";
import { endWith, ScriptError } from "./ending.ts";

await endWith(async () => {
  const { values } = parseArgs({
    options: {
      stdio: { type: "boolean", default: false },
      validating: { type: "boolean", default: false },
      port: { type: "string", default: "8000" },
      once: { type: "boolean", default: false },
    },
  });
  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port > 65_535) {
    throw new ScriptError(`--port is a number from 0 to 65535, not "${values.port}"`);
  }
  const ended = new Promise<void>((resolve) => {
    Deno.addSignalListener("SIGINT", () => resolve());
    if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", () => resolve());
  });
  const demo = values.stdio ? stdioDemo : httpDemo;
  try {
    await demo({ validating: values.validating, port, until: values.once ? Promise.resolve() : ended });
  } catch (error) {
    throw new ScriptError(`The demo ended: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
});
