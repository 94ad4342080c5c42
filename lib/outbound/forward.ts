import { OAuthError } from "../oauth/errors.ts";
import type { OutboundMode } from "./outbound.ts";

/**
 * The upstream gets the token that the IdP made for this user and this resource: never one that we issued, and never
 * one whose audience was not checked (the inbound shape decides what is `forwardable`). Fails closed.
 */
export const forward: OutboundMode<Record<never, never>, Record<never, never>> = {
  name: "forward",
  settings: {},
  parse: () => ({}),
  create: () => ({
    headers(caller) {
      if (caller.forwardable === undefined || caller.forwardable === "") {
        throw new OAuthError(
          "invalid_token",
          "The login holds no token for the server behind; log in again",
          {
            status: 401,
            reason: "nothing_to_forward",
          },
        );
      }
      return [["authorization", `Bearer ${caller.forwardable}`]];
    },
    owns: ["authorization"],
    rejected: () => Promise.resolve(false),
    userOwned: true,
  }),
};
