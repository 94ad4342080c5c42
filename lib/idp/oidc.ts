/**
 * Any OpenID provider, as the client of one login after the other:
 *
 *     authorizeUrl ── browser ──> IdP ── callback ──> exchange: state, iss, error -> code for tokens
 *                                                      -> id_token verified -> userinfo for what it lacks -> Identity
 *     refresh: old refresh token kept when none comes back      revoke
 *
 * What differs between providers is data (`IdpConfig.quirks`); the user is always who the id_token says, never who
 * an access token seems to be of.
 */
import { equalInConstantTime } from "../base/bytes.ts";
import { describeError } from "../base/errors.ts";
import { readLimitedText } from "../base/body.ts";
import { tokenVerifier } from "../crypto/access_token.ts";
import { remoteKeys } from "../crypto/jwks.ts";
import type { Party } from "../oauth/client.ts";
import { endpointUrl } from "../oauth/endpoint_url.ts";
import { isClientRefused, OAuthFailure } from "../oauth/failure.ts";
import type { ServerMetadata } from "../oauth/server_metadata.ts";
import { logToken } from "../oauth/shown_token.ts";
import { readMembers, type TokenSet } from "../oauth/token_response.ts";
import { buildAuthorizeUrl } from "./authorize_url.ts";
import type { IdpConfig } from "./config.ts";
import { checkForwardable } from "./forwardable.ts";
import { mergedIdentity, verifyIdToken, wantsUserinfo } from "./id_token.ts";
import { type Identity, type Idp, IdpError, type IdpTokens } from "./idp.ts";
import { type IdpContext, idpServer } from "./server.ts";

/** Opens the IdP; nothing is fetched before the first call. */
export function openIdp(config: IdpConfig, context: IdpContext): Idp {
  const { http, clock, log } = context;
  const server = idpServer(config, context);
  const verify = tokenVerifier(
    remoteKeys({ ...context, uri: async () => requireJwks(await server.metadata(), config) }),
    clock,
  );
  const oauthContext = { http, clock, allowHttp: config.allowInsecureHttp };
  const party = (metadata: ServerMetadata): Party => ({ server: metadata, client: config });

  const tokens = async (
    metadata: ServerMetadata,
    grantType: string,
    parameters: readonly (readonly [string, string])[],
  ): Promise<TokenSet> => {
    const { tokenRequest } = await import("../oauth/client.ts");
    try {
      return await tokenRequest(oauthContext, { ...party(metadata), grantType, parameters });
    } catch (error) {
      throw idpErrorOf(error, context, config);
    }
  };

  const identify = async (metadata: ServerMetadata, set: TokenSet, nonce?: string): Promise<Identity> => {
    if (set.idToken === undefined) {
      throw new IdpError(
        "dead",
        "id_token_missing",
        "The IdP gave no id_token; is the scope openid among its scopes?",
      );
    }
    const rules = { config, issuer: metadata.issuer, verify, ...(nonce === undefined ? {} : { nonce }) };
    const claims = await verifyIdToken(set.idToken, rules);
    const more = wantsUserinfo(claims, config) ? await userinfo(metadata, set.accessToken) : undefined;
    const identity = mergedIdentity(claims, more, config);
    if (identity.groupsMalformed) {
      log.warn("idp_groups_unusable", {
        provider: config.provider,
        subject: identity.subject,
        hint: "The groups claim is not a list of names, or there were too many groups for a token.",
      });
    }
    return identity;
  };

  /** Best effort: what is missing stays missing when this fails. */
  const userinfo = async (metadata: ServerMetadata, accessToken: string) => {
    const url = endpointUrl(metadata.userinfo_endpoint, { allowHttp: config.allowInsecureHttp });
    if (url === undefined) return undefined;
    try {
      const response = await http.fetch(url, {
        headers: { authorization: `Bearer ${accessToken}`, accept: "application/json" },
        timeoutMs: 5_000,
      });
      const body = await readLimitedText(response, 256 * 1024);
      return response.status === 200 ? readMembers(body) : undefined;
    } catch (error) {
      log.debug("idp_userinfo_failed", { provider: config.provider, cause: describeError(error) });
      return undefined;
    }
  };

  const scopeParameter: (readonly [string, string])[] = config.quirks.scopeInTokenRequest
    ? [["scope", config.scopes.join(" ")]]
    : [];
  const audienceParameter: (readonly [string, string])[] =
    config.audience !== undefined && config.provider === "oidc" ? [["audience", config.audience]] : [];

  return {
    name: config.provider,
    ready: () => server.ready(),
    reachable: () => server.reachable(),

    async authorizeUrl(request) {
      return buildAuthorizeUrl(await server.metadata(), config, request);
    },

    async exchange({ parameters, redirectUri, state, nonce, codeVerifier }) {
      const metadata = await server.metadata();
      const code = checkCallback(parameters, state, metadata);
      const set = await tokens(metadata, "authorization_code", [
        ["code", code],
        ["redirect_uri", redirectUri],
        ["code_verifier", codeVerifier],
        ...scopeParameter,
        ...audienceParameter,
      ]);
      logToken(log, "idp_token", set.accessToken, { ...set, issuer: metadata.issuer });
      const identity = await identify(metadata, set, nonce);
      checkForwardable(set.accessToken, config, log);
      return { tokens: idpTokens(set, config), identity };
    },

    async refresh(refreshToken) {
      const metadata = await server.metadata();
      const set = await tokens(metadata, "refresh_token", [
        ["refresh_token", refreshToken],
        ...scopeParameter,
      ]);
      logToken(log, "idp_token", set.accessToken, { ...set, issuer: metadata.issuer });
      const kept = idpTokens({ ...set, refreshToken: set.refreshToken ?? refreshToken }, config);
      checkForwardable(set.accessToken, config, log);
      if (set.idToken === undefined) return { tokens: kept };
      try {
        return { tokens: kept, identity: await identify(metadata, set) };
      } catch (error) {
        // The tokens are real and the old refresh token may be spent: they are not lost because keys are not there.
        if (error instanceof IdpError && error.kind === "transient") return { tokens: kept };
        throw error;
      }
    },

    async revoke(refreshToken) {
      const { revokeToken } = await import("../oauth/client.ts");
      try {
        await revokeToken(oauthContext, party(await server.metadata()), refreshToken, "refresh_token");
      } catch (error) {
        throw idpErrorOf(error, context, config);
      }
    },
  };
}

/** The code of a callback that belongs to this login. @throws IdpError, dead. */
function checkCallback(parameters: URLSearchParams, state: string, metadata: ServerMetadata): string {
  const refuse = (reason: string, found: string) =>
    new IdpError("dead", reason, `The IdP's callback ${found}`);
  if (!equalInConstantTime(parameters.get("state") ?? "", state)) {
    throw refuse("state_mismatch", "has another state");
  }
  // RFC 9207 section 2.4: before anything else in it is believed.
  const issuer = parameters.get("iss");
  if (issuer === null && metadata.authorization_response_iss_parameter_supported === true) {
    throw refuse("iss_missing", "does not name its issuer, although the IdP announces that it does");
  }
  if (issuer !== null && issuer !== metadata.issuer) throw refuse("iss_mismatch", "names another issuer");
  const error = parameters.get("error");
  if (error !== null) {
    throw refuse(/^[a-z_]{1,60}$/.test(error) ? error : "unknown_error", "says that the login was refused");
  }
  const codes = parameters.getAll("code");
  if (codes.length !== 1 || codes[0] === undefined || codes[0] === "") {
    throw refuse("code_missing", "has no code");
  }
  return codes[0];
}

function idpTokens(set: TokenSet, config: IdpConfig): IdpTokens {
  const { tokenType: _, scope, ...rest } = set;
  const prefix = config.quirks.scopePrefix;
  if (scope === undefined) return rest;
  const names = scope.split(" ").map((name) =>
    prefix !== undefined && name.startsWith(prefix) ? name.slice(prefix.length) : name
  );
  return { ...rest, scope: names.join(" ") };
}

/** A refusal of our own client says nothing about the user's grant: the operator repairs it, nobody is logged out. */
function idpErrorOf(error: unknown, { log }: IdpContext, config: IdpConfig): unknown {
  if (!(error instanceof OAuthFailure)) return error;
  if (!isClientRefused(error)) {
    const reason = error.reason === "unreachable" ? "idp_unreachable" : error.reason;
    return new IdpError(error.kind, reason, error.message, error);
  }
  log.error("idp_refuses_client", {
    provider: config.provider,
    client: config.clientId,
    reason: error.reason,
    hint: "Check the client id and secret (or key) at the IdP.",
  });
  return new IdpError("transient", "client_refused", error.message, error);
}

function requireJwks(metadata: ServerMetadata, config: IdpConfig): string {
  const url = endpointUrl(metadata.jwks_uri, { allowHttp: config.allowInsecureHttp });
  if (url === undefined) throw new Error("the IdP's metadata has no usable jwks_uri");
  return url.href;
}
