/**
 * AWS Cognito: the issuer follows from pool and region, the app client is confidential, and only scopes that the app
 * client allows may be asked for (its metadata lists the pool's). There is no `offline_access`; access tokens carry
 * `client_id` instead of `aud`; groups are in `cognito:groups`.
 */
import { baseConfig, requireIssuer, requireSettings, withOpenid } from "./preset_parts.ts";
import type { IdpPreset } from "./presets.ts";

/** `aws-cognito` */
export const cognito: IdpPreset = {
  name: "aws-cognito",
  build(settings, problems) {
    const before = problems.length;
    requireSettings("aws-cognito", {
      COGNITO_USER_POOL_ID: settings.cognitoUserPoolId,
      COGNITO_AWS_REGION: settings.cognitoRegion,
      OIDC_CLIENT_ID: settings.clientId,
      OIDC_CLIENT_SECRET: settings.clientSecret,
    }, problems);
    const { cognitoRegion: region = "", cognitoUserPoolId: pool = "" } = settings;
    if (region !== "" && !/^[a-z0-9-]+$/.test(region)) {
      problems.push(`COGNITO_AWS_REGION must be a region such as eu-central-1, found "${region}"`);
    }
    if (pool !== "" && !/^[\w-]+$/.test(pool)) {
      problems.push(
        `COGNITO_USER_POOL_ID must be a pool's id such as eu-central-1_AbCdEf123, found "${pool}"`,
      );
    }
    const domain = region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
    const issuerUrl = settings.issuerUrl ?? `https://cognito-idp.${region}.${domain}/${pool}`;
    if (problems.length === before) requireIssuer("OIDC_ISSUER_URL", issuerUrl, settings, problems);
    if (problems.length > before) return undefined;
    const scopes = withOpenid(settings.scopes ?? ["email", "profile"]).filter((scope) =>
      scope !== "offline_access"
    );
    const base = baseConfig("aws-cognito", issuerUrl, settings, scopes);
    return {
      ...base,
      groupsClaim: settings.groupsClaim ?? "cognito:groups",
      quirks: { opaqueAccessToken: true },
    };
  },
};
