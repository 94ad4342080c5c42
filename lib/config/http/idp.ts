import type { IdpConfig } from "../../idp/config.ts";
import { buildIdpConfig } from "../../idp/presets.ts";
import { present } from "../present.ts";
import type { Reading } from "../reading.ts";
import { entries } from "../table.ts";

/** What the provider's preset makes of the settings; what it misses is a problem. */
export function idpConfig(reading: Reading, provider: IdpConfig["provider"]): IdpConfig | undefined {
  const { values, dialect, problems } = reading;
  const found: string[] = [];
  const config = buildIdpConfig(
    provider,
    present({
      issuerUrl: values.issuerUrl,
      clientId: values.clientId,
      clientSecret: values.clientSecret,
      clientKey: values.clientKey,
      scopes: values.oidcScopes ?? dialect.idpScopes,
      audience: values.audience,
      authorizeParameters: values.authorizeParameters,
      groupsClaim: values.groupsClaim,
      allowInsecureHttp: values.allowInsecureHttp,
      cognitoUserPoolId: values.cognitoUserPoolId,
      cognitoRegion: values.cognitoAwsRegion,
      azureTenantId: values.azureTenantId,
      azureIdentifierUri: values.azureIdentifierUri,
      azureAuthority: values.azureAuthority?.origin,
      googleHostedDomain: values.googleHostedDomain,
    }),
    found,
  );
  problems.push(...found.filter((line) => !isAboutUnread(line, reading)));
  return config;
}

/** A setting that was given but could not be read is reported already; it is not missing as well. */
function isAboutUnread(line: string, { given, values }: Reading): boolean {
  const read: Readonly<Record<string, unknown>> = { ...values };
  return entries.some(([key, { env }]) =>
    given.has(key) && read[key] === undefined && env !== undefined && line.startsWith(`${env} is required`)
  );
}
