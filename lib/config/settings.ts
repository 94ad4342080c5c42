/** Reads every setting there is; what `--help` and a mistyped flag's suggestion know of. */
import { readEntries, type Reading, type ReadingOptions, settingLabel } from "./reading.ts";
import type { Surroundings } from "./sources.ts";
import { entries, type Key, table } from "./table.ts";

/** Reads everything. Never throws for what a user can do wrong; see `problems`. */
export function readSettings(
  argv: readonly string[],
  from?: Surroundings,
  options?: ReadingOptions,
): Reading {
  return readEntries(entries, argv, from, options);
}

/** How a setting is called in a message: `OIDC_ISSUER_URL (--oidc-issuer-url)`. */
export function label(key: Key): string {
  return settingLabel(table[key]);
}
