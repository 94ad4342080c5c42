/** The shape of the OAuth front and what each provider must be told. */
import type { AllowConfig, FrontConfig, InboundConfig, RemoteConfig } from "../../inbound/config.ts";
import { present } from "../present.ts";
import type { Reading } from "../reading.ts";
import { label } from "../settings.ts";
import type { Key } from "../table.ts";
import type { Address } from "./address.ts";
import { bridgeConfig } from "./bridge.ts";
import { checkIssuer, hostOf, isPublicIssuer } from "./issuer.ts";

/** The inbound slice. `outbound` is the name of the outbound mode. */
export function inboundConfig(reading: Reading, address: Address, outbound: string): InboundConfig {
  const { values, given, problems } = reading;
  if (values.inbound === undefined && !given.has("inbound")) {
    problems.push(
      `Cannot start in http mode without ${label("inbound")}: ` +
        "one of oidc, google, azure, aws-cognito, keycloak, jwt, none",
    );
  }
  if (values.inbound === undefined || values.inbound === "none") return { shape: "none" };
  if (values.inbound === "azure" && outbound === "forward") {
    missing(reading, "azure with outbound forward", ["oidcScopes"]);
  }
  const front: FrontConfig = present({
    ...address,
    listen: undefined,
    scopesSupported: values.scopesSupported ?? values.oidcScopes ?? ["openid"],
    resourceName: values.resourceName ?? values.proxyName,
    allow: allowConfig(reading),
  });
  if (values.inbound === "keycloak" || values.inbound === "jwt") {
    missing(reading, values.inbound, ["issuerUrl"]);
    checkIssuer(reading);
    return remoteConfig(reading, front, values.inbound, outbound);
  }
  return bridgeConfig(reading, front, values.inbound, outbound) ?? { shape: "none" };
}

function missing({ given, problems }: Reading, what: string, keys: readonly Key[]): void {
  const absent = keys.filter((key) => !given.has(key)).map(label);
  if (absent.length > 0) problems.push(`Cannot use inbound ${what} without ${absent.join(", ")}`);
}

function allowConfig(reading: Reading): AllowConfig {
  const { values, dialect, problems, warnings } = reading;
  const allow = {
    subjects: values.allowSubs,
    emails: values.allowEmails,
    domains: values.allowDomains,
    groups: values.allowGroups,
    requiredScopes: values.requiredScopes,
    ...(isGoogle(reading) ? { domainClaim: "hd" } : {}),
  };
  const lists = [allow.subjects, allow.emails, allow.domains, allow.groups];
  if (dialect.allowListRequired && lists.every((list) => list.length === 0)) {
    problems.push(
      "Cannot start without an allow-list: set at least one of ALLOW_SUBS, ALLOW_EMAILS, ALLOW_DOMAINS, ALLOW_GROUPS",
    );
  } else if (lists.every((list) => list.length === 0)) {
    const hosted = values.inbound === "google";
    const isPublic = hosted ? values.googleHostedDomain === undefined : isPublicIssuer(values.issuerUrl);
    if (isPublic) {
      const who = isGoogle(reading) ? "a Google account" : "an account at this public identity provider";
      warnings.push({
        event: "anybody_may_enter",
        setting: "ALLOW_EMAILS",
        hint: `anybody with ${who} gets in; set ALLOW_EMAILS, ALLOW_DOMAINS` +
          (hosted ? " or GOOGLE_HOSTED_DOMAIN" : ", ALLOW_GROUPS or ALLOW_SUBS"),
      });
    }
  }
  return allow;
}

function isGoogle({ values }: Reading): boolean {
  return values.inbound === "google" || hostOf(values.issuerUrl) === "accounts.google.com";
}

function remoteConfig(
  reading: Reading,
  front: FrontConfig,
  provider: RemoteConfig["provider"],
  outbound: string,
): RemoteConfig {
  const { values, given, problems, warnings, dialect } = reading;
  const { staticClientId, staticClientSecret, audience } = values;
  // A token that goes on, as it is or to be exchanged, must have been meant for this server.
  const handsOn = outbound === "forward" || outbound === "token-exchange";
  if ((staticClientId === undefined) !== (staticClientSecret === undefined)) {
    problems.push(
      "Cannot use STATIC_CLIENT_ID and STATIC_CLIENT_SECRET one without the other: set both or neither",
    );
  }
  if (dialect.audienceRequired && !given.has("audience")) {
    problems.push(`Cannot start with ${given.get("resourceUrl")} without OIDC_AUDIENCE (--audience)`);
  } else if (audience === undefined && !handsOn) {
    warnings.push({
      event: "audience_not_checked",
      setting: "AUDIENCE",
      hint: "any token of the issuer is accepted; set AUDIENCE to accept only those meant for this server",
    });
  }
  return present({
    ...front,
    shape: "remote" as const,
    provider,
    issuerUrl: values.issuerUrl ?? "",
    audience,
    groupsClaim: values.groupsClaim ?? "groups",
    staticClient: staticClientId === undefined || staticClientSecret === undefined
      ? undefined
      : { clientId: staticClientId, clientSecret: staticClientSecret },
    registerPath: dialect.registerPath,
    requireAudience: audience !== undefined || handsOn,
  });
}
