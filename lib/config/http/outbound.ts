import { outboundMode } from "../../outbound/modes.ts";
import type { Setting } from "../../base/setting.ts";
import type { Reading } from "../reading.ts";
import { outboundKey } from "../table/outbound.ts";

/** The outbound mode's name and what it is made with. */
export function outboundConfig(reading: Reading): { readonly mode: string; readonly config: unknown } {
  const { values, given, problems, outboundValues } = reading;
  const mode = outboundName(reading);
  const declared = outboundMode(mode);
  if (declared === undefined) return { mode, config: undefined };
  const own = Object.fromEntries(
    Object.entries<Setting>(declared.settings).map((
      [key, setting],
    ) => [key, outboundValues[outboundKey(setting)]]),
  );
  const found: string[] = [];
  const config: unknown = declared.parse(own, found);
  // A value that could not be read is reported already; it is not missing as well.
  const unread = Object.values<Setting>(declared.settings).some((setting) =>
    given.has(outboundKey(setting)) && outboundValues[outboundKey(setting)] === undefined
  );
  if (!unread) problems.push(...found);
  if (mode === "forward" && values.inbound === "none") {
    problems.push(
      "Cannot use outbound forward with inbound none: there is no user whose token could be handed on",
    );
  }
  if (mode !== "none" && given.has("spawnStdio")) {
    problems.push(
      `Cannot use outbound ${mode} with ${given.get("spawnStdio")}: a command on stdio takes no credential`,
    );
  }
  return { mode, config };
}

/** What was chosen, else the dialect's; `UPSTREAM_AUTHORIZATION_HEADER` alone means `static`. */
function outboundName({ values, given }: Reading): string {
  if (given.has("outboundAuth")) return values.outboundAuth ?? "none";
  if ([...given.values()].some((name) => /^UPSTREAM_AUTHORIZATION_HEADER(_FILE)?$/.test(name))) {
    return "static";
  }
  return values.inbound === "none" || given.has("spawnStdio") ? "none" : values.outboundAuth ?? "none";
}
