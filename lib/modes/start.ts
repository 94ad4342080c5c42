/**
 * From the command line to the mode that it asks for. stdio mode is started often and has to answer soon, so all it
 * needs is imported here; http mode, the settings that stdio mode does not have, and what only a person in a terminal
 * sees are loaded when they are needed.
 *
 *     argv -> stdio mode, and nothing wrong with it -> stdio mode
 *             otherwise: read again with all settings -> http mode | stdio mode | what is wrong
 */
import { withoutProblems } from "../config/reading.ts";
import { stdioConfig } from "../config/stdio.ts";
import { processSurroundings } from "../config/sources.ts";
import { readStdioSettings, type StdioReading } from "../config/stdio_settings.ts";
import type { StdioConfig } from "../stdio/config.ts";
import { runStdio } from "./stdio.ts";
import { isWorker } from "./worker_link.ts";

/** Runs the mode until it ends; the exit code. @throws UserError when it cannot start */
export async function runMode(argv: readonly string[]): Promise<number> {
  const from = processSurroundings({ filesOnly: isWorker() });
  const quick = readStdioSettings(argv, from);
  if (quick !== undefined) return await startStdio(quick);
  const { readSettings } = await import("../config/settings.ts");
  const reading = readSettings(argv, from);
  if (reading.mode === "stdio") return await startStdio(reading);
  const { httpConfig } = await import("../config/http/http.ts");
  const config = withoutProblems(reading, httpConfig(reading));
  const { runHttp } = await import("./http.ts");
  return await runHttp(config);
}

async function startStdio(reading: StdioReading): Promise<number> {
  const given = (name: string) => reading.given.has(name);
  // Whoever insists on stdio is a program, or wants to be one.
  const person = !given("transport") && Deno.stdin.isTerminal();
  if (person && !given("upstreamUrl") && reading.problems.length === 0) return await introduce();
  const config = withoutProblems(reading, stdioConfig(reading));
  return person ? await introduce(config) : await runStdio(config);
}

async function introduce(config?: StdioConfig): Promise<number> {
  const { intro } = await import("./intro.ts");
  console.error(intro(config));
  return 0;
}
