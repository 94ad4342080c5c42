/**
 * Each user reaches the upstream with a token that is meant for it and names that user: the IdP's token of the login is
 * exchanged at a token endpoint (RFC 8693; Entra's on-behalf-of flow does the same in its own words).
 *
 *     caller -> the IdP's token -> exchanged before? -> token
 *                    |                  `-> once for all of this user's calls -> kept until a minute before its end
 *                    `-> none, or refused as the user's -> 401: a new login cures it
 *                    `-> nobody has consented to it     -> 403: an administrator cures it
 *     upstream's 401 -> forgotten -> exchanged again, once -> 401
 */
import { choice, text } from "../base/kinds.ts";
import { OAuthError } from "../oauth/errors.ts";
import type { OAuthFailure } from "../oauth/failure.ts";
import type { Caller } from "../oauth/caller.ts";
import { CachedToken } from "./cached_token.ts";
import type { OutboundContext, OutboundMode } from "./outbound.ts";
import {
  parseTokenClient,
  requestToken,
  type TokenClientConfig,
  tokenClientSettings,
} from "./token_client.ts";

const settings = {
  ...tokenClientSettings,
  exchange: {
    kind: choice(["rfc8693", "entra"]),
    env: "OUTBOUND_EXCHANGE",
    flag: "outbound-exchange",
    defaultText: "entra where the token URL ends in /oauth2/v2.0/token, else rfc8693",
    mode: "http",
    group: "Outbound",
    help: "How outbound `token-exchange` asks: as in RFC 8693, or by Entra's on-behalf-of flow",
  },
  resource: {
    kind: text,
    env: "OUTBOUND_RESOURCE",
    flag: "outbound-resource",
    mode: "http",
    group: "Outbound",
    help: "Sent as `resource` to the token endpoint of outbound `token-exchange`",
  },
} as const;

/** How tokens are exchanged. */
export interface TokenExchangeConfig extends TokenClientConfig {
  readonly style: "rfc8693" | "entra";
}

/** So many users' tokens are kept. */
const maxKept = 5_000;

/** Outbound `token-exchange`. */
export const tokenExchange: OutboundMode<typeof settings, TokenExchangeConfig> = {
  name: "token-exchange",
  settings,
  parse(values, problems) {
    const config = parseTokenClient(values, "token-exchange", problems);
    const isEntra = new URL(config.tokenUrl || "http://localhost").pathname.endsWith("/oauth2/v2.0/token");
    const style = values.exchange ?? (isEntra ? "entra" : "rfc8693");
    if (style === "entra" && (values.scope ?? []).length === 0) {
      problems.push(
        "Cannot use outbound token-exchange with Entra without OUTBOUND_SCOPES, such as api://app/.default",
      );
    }
    const resource = values.resource === undefined ? [] : [["resource", values.resource] as const];
    return { ...config, style, parameters: [...config.parameters, ...resource] };
  },
  create(config, context) {
    const kept = new Map<string, CachedToken>();
    const header = (accessToken: string) => [["authorization", `Bearer ${accessToken}`]] as const;
    return {
      headers(caller) {
        const current = tokenOf(kept, subjectToken(caller), config, context).current();
        return typeof current === "string" ? header(current) : current.then(header);
      },
      owns: ["authorization"],
      rejected(caller) {
        kept.get(caller.forwardable ?? "")?.forget();
        return Promise.resolve(true);
      },
      userOwned: true,
    };
  },
};

/** The exchanged token of a login's token; the one that was not used for longest makes room. */
function tokenOf(
  kept: Map<string, CachedToken>,
  subject: string,
  config: TokenExchangeConfig,
  context: OutboundContext,
): CachedToken {
  const question = {
    ...asked(config.style, subject),
    refusal: (failure: OAuthFailure) => refusalOf(failure, context),
  };
  const found = kept.get(subject) ??
    new CachedToken(() => requestToken(config, context, question), context.clock);
  kept.delete(subject);
  kept.set(subject, found);
  if (kept.size > maxKept) {
    const [oldest = ""] = kept.keys();
    kept.delete(oldest);
  }
  return found;
}

function asked(style: TokenExchangeConfig["style"], subject: string) {
  if (style === "entra") {
    return {
      grantType: "urn:ietf:params:oauth:grant-type:jwt-bearer",
      parameters: [["assertion", subject], ["requested_token_use", "on_behalf_of"]] as const,
    };
  }
  const accessToken = "urn:ietf:params:oauth:token-type:access_token";
  return {
    grantType: "urn:ietf:params:oauth:grant-type:token-exchange",
    parameters: [
      ["subject_token", subject],
      ["subject_token_type", accessToken],
      ["requested_token_type", accessToken],
    ] as const,
  };
}

function subjectToken(caller: Caller): string {
  if (caller.forwardable !== undefined && caller.forwardable !== "") return caller.forwardable;
  throw userRefused("nothing_to_exchange");
}

/** Refusals that say something about the user's token; every other one is about us and our settings. */
const aboutUser = ["invalid_grant", "invalid_token", "interaction_required", "login_required"];
/** Entra says `invalid_grant` here too: nobody has consented; the login's token is for another API than ours. */
const entraNoConsent = /\bAADSTS65001\b/;
const entraOtherAudience = /\bAADSTS500131\b/;

function refusalOf(failure: OAuthFailure, { log }: OutboundContext): OAuthError | undefined {
  const { code, message } = failure;
  const noConsent = code === "consent_required" || entraNoConsent.test(message);
  const isUsers = code !== undefined && aboutUser.includes(code) && !entraOtherAudience.test(message);
  if (!noConsent && !isUsers) return undefined;
  log.warn("outbound_token_refused", { reason: code ?? "", cause: message });
  if (!noConsent) return userRefused(`exchange_${code}`, failure);
  return new OAuthError("access_denied", "Nobody has allowed this server to call the one behind for you", {
    status: 403,
    reason: "exchange_consent_required",
    cause: failure,
  });
}

function userRefused(reason: string, cause?: unknown): OAuthError {
  return new OAuthError("invalid_token", "The login holds no token for the server behind; log in again", {
    status: 401,
    reason,
    cause,
  });
}
