/** Whether the IdP's access token is meant for what the operator said it is for. */
import type { Logger } from "../base/log.ts";
import { unverifiedClaims } from "../oauth/claims.ts";
import type { IdpConfig } from "./config.ts";
import { IdpError } from "./idp.ts";

const warned = new WeakSet<IdpConfig>();

/**
 * With an audience configured, a JWT access token must name it. The token came from the IdP itself over TLS, so its
 * signature adds nothing here; an opaque one cannot be looked into, which is said once.
 * @throws IdpError, dead.
 */
export function checkForwardable(accessToken: string, config: IdpConfig, log: Logger): void {
  if (config.audience === undefined || config.quirks.opaqueAccessToken === true) return;
  const claims = unverifiedClaims(accessToken);
  if (claims === undefined) {
    if (warned.has(config)) return;
    warned.add(config);
    log.warn("idp_access_token_opaque", {
      provider: config.provider,
      audience: config.audience,
      hint: "The IdP's access tokens are not JWTs, so their audience cannot be checked here.",
    });
    return;
  }
  const audiences = [claims.aud].flat();
  if (audiences.includes(config.audience)) return;
  log.warn("idp_audience_mismatch", {
    provider: config.provider,
    audience: config.audience,
    detail: audiences.filter((item) => typeof item === "string").join(" "),
    hint:
      "Have the IdP put the audience into its access tokens (an audience mapper, API or resource), or correct AUDIENCE.",
  });
  throw new IdpError(
    "dead",
    "audience_mismatch",
    `The IdP's access token is not meant for "${config.audience}"`,
  );
}
