import { ConfigError } from "../../lib/base/errors.ts";
import { type Config, loadConfig } from "../../lib/config/config.ts";
import type { ReadingOptions } from "../../lib/config/reading.ts";
import type { HttpConfig } from "../../lib/http/config.ts";
import type { StdioConfig } from "../../lib/stdio/config.ts";

/** Surroundings in memory. */
export interface World {
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
}

/** The configuration, or the lines that say why there is none. */
export function load(
  argv: readonly string[],
  world: World = {},
  options?: ReadingOptions,
): Config | string[] {
  const surroundings = {
    env: { HOME: "/home/u", ...world.env },
    readFile(path: string): string {
      const text = world.files?.[path];
      if (text === undefined) throw new Deno.errors.NotFound(`No such file or directory (os error 2)`);
      return text;
    },
  };
  try {
    return loadConfig(argv, surroundings, options);
  } catch (error) {
    if (error instanceof ConfigError) return [...error.problems];
    throw error;
  }
}

/** The lines that say what is wrong; empty when nothing is. */
export function problemsOf(argv: readonly string[], world: World = {}): string[] {
  const result = load(argv, world);
  return Array.isArray(result) ? result : [];
}

/** The configuration of stdio mode. Throws what is wrong. */
export function stdio(argv: readonly string[], world: World = {}): StdioConfig {
  const config = load(argv, world);
  if (Array.isArray(config) || config.mode !== "stdio") throw new Error(Deno.inspect(config));
  return config;
}

/** The configuration of http mode. Throws what is wrong. */
export function http(argv: readonly string[], world: World = {}): HttpConfig {
  const config = load(argv, world);
  if (Array.isArray(config) || config.mode !== "http") throw new Error(Deno.inspect(config));
  return config;
}

/** The part of a configuration that a path such as `inbound.idp.issuerUrl` names; URLs as text. */
export function at(config: unknown, path: string): unknown {
  let value = config;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value instanceof URL ? value.href : value;
}
