import type { HttpConfig, LimitsConfig } from "./config.ts";

/** The name of the rate that each of our own endpoints counts under, by its path. Documents and health have none. */
export function endpointRates(
  { inbound, baseUrl }: Pick<HttpConfig, "inbound" | "baseUrl">,
): ReadonlyMap<string, keyof LimitsConfig["perMinute"]> {
  const base = new URL(baseUrl).pathname.replace(/\/$/, "");
  switch (inbound.shape) {
    case "bridge":
      return new Map([
        [base + inbound.paths.register, "register"],
        [`${base}/authorize`, "authorize"],
        [`${base}/consent`, "consent"],
        [base + inbound.paths.callback, "callback"],
        [`${base}/token`, "token"],
        [`${base}/revoke`, "token"],
      ]);
    case "remote":
      return new Map([[base + inbound.registerPath, "register"]]);
    case "none":
      return new Map();
  }
}
