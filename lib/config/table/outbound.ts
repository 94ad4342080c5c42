/** How callers are presented to the upstream. Each mode declares what it needs beside its code; here they meet. */
import { choice } from "../../base/kinds.ts";
import type { Setting, Settings } from "../../base/setting.ts";
import { outboundModes, type OutboundName } from "../../outbound/modes.ts";

const names = Object.keys(outboundModes) as OutboundName[];

export const outboundSettings = {
  outboundAuth: {
    kind: choice(names),
    env: "OUTBOUND_AUTH",
    flag: "outbound-auth",
    defaultText:
      "forward; none with PROXY_BASE_URL or RESOURCE_URL, static with UPSTREAM_AUTHORIZATION_HEADER",
    mode: "http",
    group: "Outbound credentials (http mode)",
    help: "The credential with which requests go on to the upstream",
  },
} satisfies Settings;

/** The key of a mode's setting: modes that name the same variable share one setting. */
export function outboundKey(setting: Setting): string {
  return `outbound.${setting.env ?? setting.flag}`;
}

/** The settings of all modes, each once. */
export const outboundModeSettings: Settings = Object.fromEntries(
  Object.values(outboundModes).flatMap((mode) =>
    Object.values<Setting>(mode.settings).map((setting) => [
      outboundKey(setting),
      { ...setting, group: outboundSettings.outboundAuth.group },
    ])
  ),
);
