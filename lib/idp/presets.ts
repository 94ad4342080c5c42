/** The providers by name: what each makes of the operator's settings. A new one is a file and a line here. */
import { azure } from "./azure.ts";
import { cognito } from "./cognito.ts";
import type { IdpConfig } from "./config.ts";
import { generic } from "./generic.ts";
import { google } from "./google.ts";

/** What the operator may set about the IdP; a preset reads what concerns it. */
export interface IdpSettings {
  readonly issuerUrl?: string;
  readonly clientId?: string;
  readonly clientSecret?: string;
  /** PEM. */
  readonly clientKey?: string;
  readonly scopes?: readonly string[];
  readonly audience?: string;
  readonly authorizeParameters?: readonly (readonly [name: string, value: string])[];
  readonly groupsClaim?: string;
  readonly allowInsecureHttp?: boolean;
  readonly cognitoUserPoolId?: string;
  readonly cognitoRegion?: string;
  readonly azureTenantId?: string;
  readonly azureIdentifierUri?: string;
  /** Such as `https://login.microsoftonline.us`. */
  readonly azureAuthority?: string;
  readonly googleHostedDomain?: string;
}

/** A provider: adds a line to `problems` for all that is missing or wrong. */
export interface IdpPreset {
  readonly name: IdpConfig["provider"];
  build(settings: IdpSettings, problems: string[]): IdpConfig | undefined;
}

/** All providers that a bridge can federate to. */
export const presets: Readonly<Record<IdpConfig["provider"], IdpPreset>> = {
  oidc: generic,
  google,
  azure,
  "aws-cognito": cognito,
};

/** The configuration of this provider, or `undefined` with at least one more line in `problems`. */
export function buildIdpConfig(
  provider: IdpConfig["provider"],
  settings: IdpSettings,
  problems: string[],
): IdpConfig | undefined {
  return presets[provider].build(settings, problems);
}
