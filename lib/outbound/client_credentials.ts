/**
 * The upstream gets a token that this deployment fetches for itself (RFC 6749 section 4.4): the same for every caller.
 *
 *     headers -> token at hand? -> token
 *                    `-> fetched once for all who ask -> kept until a minute before its end
 *     401     -> forgotten -> fetched again, once
 */
import { CachedToken } from "./cached_token.ts";
import type { OutboundMode } from "./outbound.ts";
import {
  parseTokenClient,
  requestToken,
  type TokenClientConfig,
  tokenClientSettings,
} from "./token_client.ts";

/** Outbound `oauth-client-credentials`. */
export const clientCredentials: OutboundMode<typeof tokenClientSettings, TokenClientConfig> = {
  name: "oauth-client-credentials",
  settings: tokenClientSettings,
  parse: (values, problems) => parseTokenClient(values, "oauth-client-credentials", problems),
  create(config, context) {
    const question = { grantType: "client_credentials", parameters: [] };
    const token = new CachedToken(() => requestToken(config, context, question), context.clock);
    const header = (accessToken: string) => [["authorization", `Bearer ${accessToken}`]] as const;
    return {
      headers() {
        const current = token.current();
        return typeof current === "string" ? header(current) : current.then(header);
      },
      owns: ["authorization"],
      rejected() {
        token.forget();
        return Promise.resolve(true);
      },
      userOwned: false,
    };
  },
};
