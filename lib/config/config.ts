/**
 * Command line and environment in, the chosen mode's configuration out; every problem is named at once.
 *
 *   argv ──> arguments ─┐
 *   env ────────────────┼─> reading (mode, dialect, values) ──> stdio.ts ─> StdioConfig
 *   .env ──> sources ───┘            │                     └──> http/    ─> HttpConfig
 *                                    └─ problems ──────────────────────> ConfigError
 */
import type { HttpConfig } from "../http/config.ts";
import type { StdioConfig } from "../stdio/config.ts";
import { httpConfig } from "./http/http.ts";
import { type Reading, type ReadingOptions, withoutProblems } from "./reading.ts";
import { readSettings } from "./settings.ts";
import { processSurroundings, type Surroundings } from "./sources.ts";
import { stdioConfig } from "./stdio.ts";

/** What either mode is started with. */
export type Config = StdioConfig | HttpConfig;

/** The configuration that a reading amounts to. Throws a `ConfigError` with every problem. */
export function configOf(reading: Reading): Config {
  return withoutProblems(reading, reading.mode === "http" ? httpConfig(reading) : stdioConfig(reading));
}

/** Reads the configuration. Throws a `ConfigError` with every problem. */
export function loadConfig(
  argv: readonly string[],
  from: Surroundings = processSurroundings(),
  options: ReadingOptions = {},
): Config {
  return configOf(readSettings(argv, from, options));
}
