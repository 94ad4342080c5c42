import type { Caller } from "../oauth/caller.ts";
import type { Inbound } from "./inbound.ts";

/** Whoever reaches the loopback address may enter. */
const anybody: Caller = {
  subject: "local",
  groups: [],
  clientId: "local",
  scopes: [],
  expiresAtMs: Number.MAX_SAFE_INTEGER,
  claims: {},
};

/** No OAuth front at all: for a listener that only this machine reaches. */
export function openNone(): Inbound {
  return {
    anybody,
    mount: () => {},
    authenticate: () => Promise.resolve(anybody),
    challenge: () => "Bearer",
    revoked: () => Promise.resolve(false),
    ready: () => Promise.resolve(),
    reachable: () => Promise.resolve(true),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
