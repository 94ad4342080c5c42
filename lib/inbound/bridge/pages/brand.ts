import type { BridgeConfig } from "../../config.ts";

/** How pages say whose they are. */
export interface Brand {
  /** One to three characters in the place of a logo. */
  readonly mark: string;
  /** The operator's name for the server, or its host. */
  readonly name: string;
}

/** The brand of a configuration. */
export function brandOf(config: Pick<BridgeConfig, "logoText" | "resourceName" | "baseUrl">): Brand {
  return { mark: config.logoText, name: config.resourceName ?? new URL(config.baseUrl).host };
}
