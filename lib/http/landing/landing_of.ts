import type { InboundConfig } from "../../inbound/config.ts";
import type { Landing } from "./page.ts";

/** The page's words for a configuration; without users there is nothing to connect. */
export function landingOf(inbound: InboundConfig): Landing | undefined {
  if (inbound.shape === "none") return undefined;
  const name = inbound.resourceName ?? new URL(inbound.resource).host;
  const mark = inbound.shape === "bridge" ? inbound.logoText : [...name][0]?.toUpperCase() ?? "M";
  return { resource: inbound.resource, name, mark };
}
