/** Any OpenID provider: exactly the configured scopes, since strict ones refuse a login for one they do not know. */
import { baseConfig, requireIssuer, requireSettings, withOpenid } from "./preset_parts.ts";
import type { IdpPreset } from "./presets.ts";

/** `oidc` */
export const generic: IdpPreset = {
  name: "oidc",
  build(settings, problems) {
    const before = problems.length;
    requireSettings(
      "oidc",
      { OIDC_ISSUER_URL: settings.issuerUrl, OIDC_CLIENT_ID: settings.clientId },
      problems,
    );
    const issuerUrl = settings.issuerUrl ?? "";
    if (issuerUrl !== "") requireIssuer("OIDC_ISSUER_URL", issuerUrl, settings, problems);
    if (problems.length > before) return undefined;
    return baseConfig("oidc", issuerUrl, settings, withOpenid(settings.scopes ?? ["email", "profile"]));
  },
};
