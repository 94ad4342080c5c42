/** The provider's preset, filled in with what was configured. */
import type { IdpConfig, IdpQuirks } from "../../idp/config.ts";
import { present } from "../present.ts";
import type { Reading } from "../reading.ts";

interface Preset {
  readonly issuerUrl: string;
  readonly scopes: readonly string[];
  readonly quirks: IdpQuirks;
}

/** The IdP slice of a bridge. */
export function idpConfig(reading: Reading, provider: IdpConfig["provider"]): IdpConfig {
  const { values, dialect } = reading;
  const preset = presets[provider](reading);
  const scopes = values.oidcScopes ?? dialect.idpScopes ?? preset.scopes;
  return present({
    provider,
    issuerUrl: preset.issuerUrl,
    clientId: values.clientId ?? "",
    clientSecret: values.clientSecret,
    clientKey: values.clientKey,
    scopes: scopes.includes("openid") ? scopes : ["openid", ...scopes],
    audience: values.audience,
    authorizeParameters: values.authorizeParameters ?? [],
    groupsClaim: values.groupsClaim,
    allowInsecureHttp: values.allowInsecureHttp,
    quirks: preset.quirks,
  });
}

const standard = ["openid", "email", "profile"];

const presets: Readonly<Record<IdpConfig["provider"], (reading: Reading) => Preset>> = {
  "oidc": ({ values }) => ({ issuerUrl: values.issuerUrl ?? "", scopes: standard, quirks: {} }),
  "google": ({ values }) => ({
    issuerUrl: values.issuerUrl ?? "https://accounts.google.com",
    scopes: standard,
    quirks: present({ opaqueAccessToken: true, hostedDomain: values.googleHostedDomain }),
  }),
  "azure": ({ values }) => {
    const authority = values.azureAuthority?.origin ?? "https://login.microsoftonline.com";
    return {
      issuerUrl: values.issuerUrl ?? `${authority}/${values.azureTenantId ?? ""}/v2.0`,
      scopes: standard,
      quirks: present({
        tenantId: values.azureTenantId,
        scopePrefix: `${values.azureIdentifierUri ?? `api://${values.clientId ?? ""}`}/`,
        alsoIssuers: [`https://sts.windows.net/${values.azureTenantId ?? ""}/`],
      }),
    };
  },
  "aws-cognito": ({ values }) => ({
    issuerUrl: values.issuerUrl ??
      `https://cognito-idp.${values.cognitoAwsRegion ?? ""}.amazonaws.com/${values.cognitoUserPoolId ?? ""}`,
    scopes: ["openid"],
    quirks: {},
  }),
};
