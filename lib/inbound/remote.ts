/**
 * The remote shape: the IdP registers and logs in MCP clients by itself; we say where it is and verify what it issues.
 *
 *     no token -> 401, resource_metadata -> the document names the IdP (keycloak)
 *                                        -> or us, with the IdP's metadata rewritten (jwt)
 *     bearer   -> signature, issuer, audience, time, kind -> who may enter -> Caller
 */
import type { Clock } from "../base/clock.ts";
import { type Counters, noCounters } from "../base/counters.ts";
import type { HttpClient } from "../base/http_client.ts";
import type { Logger } from "../base/log.ts";
import { TokenRefused, type TokenRules, tokenVerifier } from "../crypto/access_token.ts";
import { KeysUnavailable, remoteKeys } from "../crypto/jwks.ts";
import { IdpError } from "../idp/idp.ts";
import { idpServer, typedIssuer } from "../idp/server.ts";
import type { Caller } from "../oauth/caller.ts";
import { bearerChallenge } from "../oauth/challenge.ts";
import { OAuthError } from "../oauth/errors.ts";
import { formatScope, unionScopes } from "../oauth/scope.ts";
import { logToken, shownToken } from "../oauth/shown_token.ts";
import type { RemoteConfig } from "./config.ts";
import type { Inbound } from "./inbound.ts";
import { mountMetadata, resourceMetadataUrl } from "./metadata.ts";
import { remoteCaller, requireEntry } from "./remote_caller.ts";
import { warnOfShortcomings } from "./remote_check.ts";
import { mountStaticClient, rewrittenMetadata } from "./static_client.ts";

/** What the remote shape is made with. */
export interface RemoteContext {
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters?: Counters;
}

/** Nothing is waited for: the IdP is asked in the background, and an IdP that is down heals by itself. */
export function openRemote(config: RemoteConfig, context: RemoteContext): Inbound {
  const { http, clock, log } = context;
  const counters = context.counters ?? noCounters;
  const stop = new AbortController();
  const issuer = typedIssuer(config.issuerUrl);
  const address = { provider: config.provider, issuerUrl: issuer, quirks: {} };
  const server = idpServer(address, { http, clock, log, counters, signal: stop.signal });
  const keys = remoteKeys({ uri: jwksUri, http, clock, log, counters });
  const verify = tokenVerifier(keys, clock);
  const rules: TokenRules = {
    kind: "access",
    issuers: [issuer],
    audiences: audiencesOf(config),
    // Cognito's access tokens have no audience but name the client that they were made for.
    clientIdIsAudience: new URL(issuer).hostname.startsWith("cognito-idp."),
  };
  // What clients compare byte by byte is the document's own spelling, once it is known.
  let published = issuer.replace(/\/$/, "");

  async function jwksUri(): Promise<string> {
    const { jwks_uri: uri, issuer: name } = await server.metadata();
    if (uri === undefined) throw new IdpError("transient", "no_jwks", `${name} names no jwks_uri`);
    return uri;
  }

  const checked = server.ready().then(async () => {
    const metadata = await server.metadata();
    published = metadata.issuer;
    warnOfShortcomings(metadata, config, log);
  }).catch(() => {
    // Only a stop ends the asking.
  });

  const verified = new WeakMap<Caller, { readonly bearer: string; edition: string }>();

  async function callerOf(bearer: string): Promise<Caller> {
    try {
      const caller = remoteCaller(await verify(bearer, rules), bearer, config);
      verified.set(caller, { bearer, edition: await keys.edition() });
      return caller;
    } catch (error) {
      throw asOAuthError(error);
    }
  }

  /** A token that was verified before falls with its key. While the keys cannot be asked for it stands. */
  async function keyIsGone(caller: Caller): Promise<boolean> {
    const known = verified.get(caller);
    if (known === undefined) return false;
    try {
      const edition = await keys.edition();
      if (edition !== known.edition) await verify(known.bearer, rules);
      known.edition = edition;
      return false;
    } catch (error) {
      return error instanceof TokenRefused;
    }
  }

  return {
    mount(app) {
      const front = { ...config, scopesSupported: neededScopes(config) };
      if (config.provider === "keycloak") {
        return mountMetadata(app, front, {
          get authorizationServers() {
            return [published];
          },
        });
      }
      const parts = { config, http, clock, log };
      mountStaticClient(app, parts);
      mountMetadata(app, front, {
        authorizationServers: [config.baseUrl],
        serverMetadata: rewrittenMetadata(parts),
      });
    },
    async authenticate(bearer) {
      try {
        const caller = await callerOf(bearer);
        requireEntry(caller, config);
        logToken(log, "token_accepted", bearer);
        return caller;
      } catch (error) {
        const { reason } = error as OAuthError;
        counters.add("mcp_auth_access_denied_total", { reason });
        if (log.enabled("debug")) log.debug("access_denied", { ...shownToken(bearer), reason });
        throw error;
      }
    },
    challenge: (error) => challenge(config, error),
    revoked: keyIsGone,
    async ready() {
      await checked;
      await keys.ready();
    },
    reachable: () => server.reachable(),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await checked;
    },
  };
}

/** What clients are told to ask for: the advertised scopes, and those without which nobody gets in. */
function neededScopes(config: RemoteConfig): string[] {
  return unionScopes(config.scopesSupported, config.allow.requiredScopes);
}

/** Whom a token must be meant for: nobody in particular, or the configured audience or this very server. */
function audiencesOf({ requireAudience, audience, resource, baseUrl }: RemoteConfig): string[] {
  if (!requireAudience) return [];
  const ours = [resource, baseUrl].flatMap((url) => [url, `${url}/`]);
  return audience === undefined ? ours : [audience, ...ours];
}

function asOAuthError(error: unknown): OAuthError {
  if (error instanceof KeysUnavailable) {
    return new OAuthError("temporarily_unavailable", "The identity provider is not available at the moment", {
      status: 503,
      reason: "idp_unavailable",
      retryAfterSec: 5,
      cause: error,
    });
  }
  const reason = error instanceof TokenRefused ? `token_${error.reason}` : "token_claims";
  const description = reason === "token_expired"
    ? "The access token has expired"
    : "The access token is not valid here";
  return new OAuthError("invalid_token", description, { status: 401, reason, cause: error });
}

/**
 * RFC 6750 section 3, RFC 9728 section 5.1. A scope in a challenge beats the document's list, and offline_access has
 * no place in it; so where that is advertised the first challenge leaves the scopes to the document.
 */
function challenge(config: RemoteConfig, error: OAuthError | undefined): string {
  const scopes = neededScopes(config);
  const online = scopes.filter((scope) => scope !== "offline_access");
  const named = error?.code === "insufficient_scope" || online.length === scopes.length ? online : [];
  return bearerChallenge({
    realm: config.provider === "jwt" ? config.resource : undefined,
    error: error?.code,
    error_description: error?.description,
    scope: named.length === 0 ? undefined : formatScope(named),
    resource_metadata: resourceMetadataUrl(config),
  });
}
