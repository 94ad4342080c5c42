/** Every setting there is. The parser, `--help`, `--check-config` and the documents are made from this one object. */
import type { Setting, Settings, Values } from "../base/setting.ts";
import { baseUrlSettings } from "./table/base_url.ts";
import { bridgeSettings } from "./table/bridge.ts";
import { frontSettings } from "./table/front.ts";
import { generalSettings } from "./table/general.ts";
import { idpSettings } from "./table/idp.ts";
import { idpHttpSettings } from "./table/idp_http.ts";
import { networkSettings } from "./table/network.ts";
import { operationsSettings } from "./table/operations.ts";
import { outboundModeSettings, outboundSettings } from "./table/outbound.ts";
import { serverSettings } from "./table/server.ts";
import { stateSettings } from "./table/state.ts";
import { stdioSettings } from "./table/stdio.ts";
import { tokenSettings } from "./table/tokens.ts";
import { upstreamSettings } from "./table/upstream.ts";

export const table = {
  ...generalSettings,
  ...idpSettings,
  ...idpHttpSettings,
  ...stdioSettings,
  ...baseUrlSettings,
  ...serverSettings,
  ...frontSettings,
  ...upstreamSettings,
  ...outboundSettings,
  ...tokenSettings,
  ...bridgeSettings,
  ...stateSettings,
  ...operationsSettings,
  ...networkSettings,
} satisfies Settings;

/** The name of a setting in the code. */
export type Key = keyof typeof table;

/** What the table's settings came out as. */
export type TableValues = Values<typeof table>;

/** The table and the settings of the outbound modes, with their keys. */
export const entries: readonly (readonly [key: string, setting: Setting])[] = [
  ...Object.entries<Setting>(table),
  ...Object.entries<Setting>(outboundModeSettings),
];
