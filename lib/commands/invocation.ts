import { configOf } from "../config/config.ts";
import type { Reading } from "../config/reading.ts";
import { readSettings } from "../config/settings.ts";
import { processSurroundings, type Surroundings } from "../config/sources.ts";
import type { HttpConfig } from "../http/config.ts";
import type { StdioConfig } from "../stdio/config.ts";
import type { Command, Invocation } from "./command.ts";

/** The command line after a command's name, read when it is asked for. */
export function invocation(
  command: Command,
  argv: readonly string[],
  from: Surroundings = processSurroundings(),
): Invocation {
  const read = (mode?: "stdio" | "http"): Reading =>
    readSettings(argv, from, { ownFlags: command.flags, ...(mode === undefined ? {} : { mode }) });
  let reading: Reading | undefined;
  return {
    argv,
    from,
    get flags() {
      return (reading ??= read()).own;
    },
    reading: () => reading ??= read(),
    config: () => configOf(read()),
    stdioConfig: () => configOf(read("stdio")) as StdioConfig,
    httpConfig: () => configOf(read("http")) as HttpConfig,
  };
}
