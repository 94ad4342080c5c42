/**
 * The settings of stdio mode alone, since a start of it is to be cheap: the other two thirds of the table are not even
 * loaded. What is wrong here may be right for http mode, so then everything is to be read, with `settings.ts`.
 */
import type { Setting, Settings, Values } from "../base/setting.ts";
import { readEntries, type Reading, settingLabel } from "./reading.ts";
import type { Surroundings } from "./sources.ts";
import { generalSettings } from "./table/general.ts";
import { idpSettings } from "./table/idp.ts";
import { networkSettings } from "./table/network.ts";
import { stdioSettings } from "./table/stdio.ts";

const stdioTable = {
  ...generalSettings,
  ...idpSettings,
  ...stdioSettings,
  ...networkSettings,
} satisfies Settings;

/** A reading that has at least the settings of stdio mode. */
export type StdioReading = Reading<Values<typeof stdioTable>>;

/** The reading, where stdio mode is asked for and nothing is wrong; else `undefined`. */
export function readStdioSettings(argv: readonly string[], from?: Surroundings): StdioReading | undefined {
  const reading: StdioReading = readEntries(Object.entries<Setting>(stdioTable), argv, from, {
    partial: true,
  });
  return reading.mode === "stdio" && reading.problems.length === 0 ? reading : undefined;
}

/** How a setting is called in a message: `OIDC_ISSUER_URL (--oidc-issuer-url)`. */
export function stdioLabel(key: keyof typeof stdioTable): string {
  return settingLabel(stdioTable[key]);
}
