/** What the providers' files have in common. */
import { endpointUrl } from "../oauth/endpoint_url.ts";
import type { IdpConfig } from "./config.ts";
import type { IdpSettings } from "./presets.ts";

/** Adds a line for each setting that has no value; the names are those of the variables. */
export function requireSettings(
  provider: string,
  values: Readonly<Record<string, string | undefined>>,
  problems: string[],
): void {
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || value === "") {
      problems.push(`${name} is required with INBOUND_AUTH_PROVIDER=${provider}`);
    }
  }
}

/** Adds a line unless the address is one that secrets may be sent to. */
export function requireIssuer(name: string, url: string, settings: IdpSettings, problems: string[]): void {
  if (endpointUrl(url, { allowHttp: settings.allowInsecureHttp === true }) !== undefined) return;
  problems.push(
    `${name} must be an https URL (http only on loopback or with OIDC_ALLOW_INSECURE_HTTP), found "${url}"`,
  );
}

/** The configuration as every provider has it; a preset adds its differences. */
export function baseConfig(
  provider: IdpConfig["provider"],
  issuerUrl: string,
  settings: IdpSettings,
  scopes: readonly string[],
): IdpConfig {
  return {
    provider,
    issuerUrl,
    clientId: settings.clientId ?? "",
    ...(settings.clientSecret === undefined ? {} : { clientSecret: settings.clientSecret }),
    ...(settings.clientKey === undefined ? {} : { clientKey: settings.clientKey }),
    ...(settings.audience === undefined ? {} : { audience: settings.audience }),
    scopes,
    authorizeParameters: settings.authorizeParameters ?? [],
    groupsClaim: settings.groupsClaim ?? "groups",
    allowInsecureHttp: settings.allowInsecureHttp === true,
    quirks: {},
  };
}

/** `openid` in front, each scope once. */
export function withOpenid(scopes: readonly string[]): string[] {
  return [...new Set(["openid", ...scopes])];
}
