/**
 * Google: refresh tokens are asked for by `access_type=offline`, not by a scope (`offline_access` is refused), and
 * are given only with `prompt=consent` once the user has agreed before. Access tokens are opaque. There is no groups
 * claim, and anybody with an account can log in, so `hd` is checked where a domain is configured.
 */
import { baseConfig, requireIssuer, requireSettings, withOpenid } from "./preset_parts.ts";
import type { IdpPreset } from "./presets.ts";

/** `google` */
export const google: IdpPreset = {
  name: "google",
  build(settings, problems) {
    const before = problems.length;
    requireSettings("google", {
      OIDC_CLIENT_ID: settings.clientId,
      OIDC_CLIENT_SECRET: settings.clientSecret,
    }, problems);
    const issuerUrl = settings.issuerUrl ?? "https://accounts.google.com";
    requireIssuer("OIDC_ISSUER_URL", issuerUrl, settings, problems);
    if (problems.length > before) return undefined;
    const scopes = withOpenid(settings.scopes ?? ["email", "profile"]).filter((scope) =>
      scope !== "offline_access"
    );
    const base = baseConfig("google", issuerUrl, settings, scopes);
    const domain = settings.googleHostedDomain;
    const hosted: (readonly [string, string])[] = domain === undefined ? [] : [["hd", domain]];
    return {
      ...base,
      authorizeParameters: [["access_type", "offline"], ...hosted, ...base.authorizeParameters],
      quirks: {
        opaqueAccessToken: true,
        // Documented as one of the two values of `iss`.
        alsoIssuers: ["accounts.google.com"],
        offlineParameters: [["prompt", "consent"]],
        ...(domain === undefined ? {} : { hostedDomain: domain }),
      },
    };
  },
};
