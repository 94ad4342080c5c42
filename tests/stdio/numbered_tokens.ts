import type { CredentialHeaders, Credentials, Refusal } from "../../lib/stdio/credentials.ts";

/** Tokens t0, t1, …: each renewal that is allowed gives the next one. */
export function numberedTokens(allows: (refusal: Refusal) => boolean = () => true) {
  const refusals: { used: string | undefined; refusal: Refusal }[] = [];
  let current: CredentialHeaders = { list: [["authorization", "Bearer t0"]] };
  let count = 0;
  let renewing: Promise<void> | undefined;
  const credentials: Credentials = {
    headers: () => Promise.resolve(current),
    async renew(used, refusal) {
      refusals.push({ used: used.list[0]?.[1], refusal });
      if (used !== current) return true;
      if (!allows(refusal)) return false;
      renewing ??= Promise.resolve().then(() => {
        current = { list: [["authorization", `Bearer t${++count}`]] };
        renewing = undefined;
      });
      await renewing;
      return true;
    },
    status: () => ({ state: "ready" }),
    changed: () => new Promise(() => {}),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  return { credentials, refusals };
}
