import type { OwnFlag } from "../config/arguments.ts";
import type { Config } from "../config/config.ts";
import type { Reading } from "../config/reading.ts";
import type { Surroundings } from "../config/sources.ts";
import type { HttpConfig } from "../http/config.ts";
import type { StdioConfig } from "../stdio/config.ts";

/** What a command is started with. */
export interface Invocation {
  /** The command's own flags: their text, or `true` for those without one. */
  readonly flags: Readonly<Record<string, string | true | undefined>>;
  /** The arguments after the command's name, unread. */
  readonly argv: readonly string[];
  /** The environment and the files. */
  readonly from: Surroundings;
  /** All settings; see its `problems`. */
  reading(): Reading;
  /** The configuration of the mode that the settings choose. Throws a `ConfigError` with every problem. */
  config(): Config;
  /** The configuration of stdio mode, whatever the settings choose. */
  stdioConfig(): StdioConfig;
  /** The configuration of http mode, whatever the settings choose. */
  httpConfig(): HttpConfig;
}

/** A command of the program: a file of its own and an entry in `list.ts`. */
export interface Command {
  readonly summary: string;
  /** What follows the name in `--help`. */
  readonly usage: string;
  readonly flags: Readonly<Record<string, OwnFlag>>;
  /** Resolves to the exit code. Throws a `UserError` for what the user can act on. */
  readonly load: () => Promise<(invocation: Invocation) => Promise<number>>;
}
