import { clientCredentials } from "./client_credentials.ts";
import { forward } from "./forward.ts";
import { none } from "./none.ts";
import type { OutboundMode } from "./outbound.ts";
import { perUserHeader } from "./per_user_header.ts";
import { staticHeader } from "./static.ts";
import { tokenExchange } from "./token_exchange.ts";

/** Every way of presenting callers to the upstream, by the name that `--outbound-auth` takes. */
export const outboundModes = {
  "none": none,
  "forward": forward,
  "static": staticHeader,
  "oauth-client-credentials": clientCredentials,
  "token-exchange": tokenExchange,
  "per-user-header": perUserHeader,
} as const;

/** The name of an outbound mode. */
export type OutboundName = keyof typeof outboundModes;

/** The mode of that name. */
// deno-lint-ignore no-explicit-any -- each mode pairs its own settings and configuration
export function outboundMode(name: string): OutboundMode<any, any> | undefined {
  return Object.hasOwn(outboundModes, name) ? outboundModes[name as OutboundName] : undefined;
}
