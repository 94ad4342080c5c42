import type { HttpConfig, LimitsConfig } from "./config.ts";

/** The name of the rate that each of our own endpoints counts under, by its path; the documents are found where they are mounted. */
export function endpointRates(
  { inbound, baseUrl }: Pick<HttpConfig, "inbound" | "baseUrl">,
): ReadonlyMap<string, keyof LimitsConfig["perMinute"]> {
  const base = new URL(baseUrl).pathname.replace(/\/$/, "");
  switch (inbound.shape) {
    case "bridge":
      // The bridge answers at the root of the origin as well, where it lives below a path.
      return new Map(
        [base, ""].flatMap((at): [string, keyof LimitsConfig["perMinute"]][] => [
          [at + inbound.paths.register, "register"],
          [`${at}/authorize`, "authorize"],
          [`${at}/consent`, "consent"],
          [at + inbound.paths.callback, "callback"],
          [`${at}/token`, "token"],
          [`${at}/revoke`, "token"],
        ]),
      );
    case "remote":
      return new Map([[base + inbound.registerPath, "register"]]);
    case "none":
      return new Map();
  }
}
