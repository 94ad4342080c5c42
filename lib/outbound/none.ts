import type { OutboundMode } from "./outbound.ts";

/** The upstream gets no credential. */
export const none: OutboundMode<Record<never, never>, Record<never, never>> = {
  name: "none",
  settings: {},
  parse: () => ({}),
  create: () => ({
    headers: () => [],
    owns: [],
    rejected: () => Promise.resolve(false),
    userOwned: false,
  }),
};
