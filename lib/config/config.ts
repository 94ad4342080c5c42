/**
 * Command line and environment in, the chosen mode's configuration out; every problem is named at once.
 *
 *   argv ──> arguments ─┐
 *   env ────────────────┼─> reading (mode, dialect, values) ──> stdio.ts ─> StdioConfig
 *   .env ──> sources ───┘            │                     └──> http/    ─> HttpConfig
 *                                    └─ problems ──────────────────────> ConfigError
 */
import { ConfigError } from "../base/errors.ts";
import type { HttpConfig } from "../http/config.ts";
import type { StdioConfig } from "../stdio/config.ts";
import { httpConfig } from "./http/http.ts";
import { type Reading, type ReadingOptions, readSettings } from "./reading.ts";
import { processSurroundings, type Surroundings } from "./sources.ts";
import { stdioConfig } from "./stdio.ts";

/** What either mode is started with. */
export type Config = StdioConfig | HttpConfig;

/** The configuration that a reading amounts to. Throws a `ConfigError` with every problem. */
export function configOf(reading: Reading): Config {
  const config = reading.mode === "http" ? httpConfig(reading) : stdioConfig(reading);
  if (reading.problems.length > 0) throw new ConfigError(shown(reading.problems));
  return config;
}

/** Each problem once and on one line, whatever it quotes. */
function shown(problems: readonly string[]): string[] {
  return [...new Set(problems.map((problem) => problem.replaceAll(/\p{Cc}+/gu, " ")))];
}

/** Reads the configuration. Throws a `ConfigError` with every problem. */
export function loadConfig(
  argv: readonly string[],
  from: Surroundings = processSurroundings(),
  options: ReadingOptions = {},
): Config {
  return configOf(readSettings(argv, from, options));
}
