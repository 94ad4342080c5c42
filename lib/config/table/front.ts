/** The shape of the OAuth front, and who may enter. */
import { choice, commaList, scopeList, text } from "../../base/kinds.ts";
import type { Settings } from "../../base/setting.ts";
import { domainList, emailList, mark } from "./who_kinds.ts";

const front = "Front (http mode)";
const who = "Who may enter (http mode)";

export const frontSettings = {
  inbound: {
    kind: choice(["oidc", "google", "azure", "aws-cognito", "keycloak", "jwt", "none"]),
    env: "INBOUND_AUTH_PROVIDER",
    flag: "inbound-auth-provider",
    defaultText: "none given; oidc with PROXY_BASE_URL, jwt with RESOURCE_URL",
    mode: "http",
    group: front,
    help: "How users log in: oidc, google, azure, aws-cognito through our own authorization server; " +
      "keycloak, jwt directly at theirs; none for nobody, on loopback only",
  },
  resourceName: {
    kind: text,
    env: "MCP_RESOURCE_NAME",
    flag: "mcp-resource-name",
    defaultText: "MCP_PROXY_NAME",
    mode: "http",
    group: front,
    help: "The name shown on the consent page and in the resource metadata",
  },
  logoText: {
    kind: mark,
    env: "LOGO_TEXT",
    flag: "logo-text",
    defaultText: "initials of the name",
    mode: "http",
    group: front,
    help: "One to three characters that stand for the connector on our pages",
  },
  scopesSupported: {
    kind: scopeList,
    env: "SCOPES_SUPPORTED",
    flag: "scopes-supported",
    defaultText: "those of OIDC_SCOPES; openid,profile,email,offline_access with jwt",
    mode: "http",
    group: front,
    help: "Scopes that clients are told to ask for",
  },
  staticClientId: {
    kind: text,
    env: "STATIC_CLIENT_ID",
    flag: "static-client-id",
    mode: "http",
    group: front,
    help:
      "A client at the identity provider whose credentials anybody who registers is given (jwt, keycloak)",
  },
  staticClientSecret: {
    kind: text,
    env: "STATIC_CLIENT_SECRET",
    flag: "static-client-secret",
    secret: true,
    mode: "http",
    group: front,
    help: "That client's secret, which thereby is no secret any more",
  },
  allowSubs: {
    kind: commaList,
    env: "ALLOW_SUBS",
    flag: "allow-subs",
    default: [],
    mode: "http",
    group: who,
    help: "Subjects that may enter",
  },
  allowEmails: {
    kind: emailList,
    env: "ALLOW_EMAILS",
    flag: "allow-emails",
    default: [],
    mode: "http",
    group: who,
    help: "Verified e-mail addresses that may enter",
  },
  allowDomains: {
    kind: domainList,
    env: "ALLOW_DOMAINS",
    flag: "allow-domains",
    default: [],
    mode: "http",
    group: who,
    help: "Domains of verified e-mail addresses that may enter",
  },
  allowGroups: {
    kind: commaList,
    env: "ALLOW_GROUPS",
    envAliases: ["ALLOWED_GROUPS"],
    flag: "allow-groups",
    default: [],
    mode: "http",
    group: who,
    help: "Groups whose members may enter",
  },
  requiredScopes: {
    kind: scopeList,
    env: "REQUIRED_SCOPES",
    flag: "required-scopes",
    default: [],
    mode: "http",
    group: who,
    help: "Scopes that every request's token must have",
  },
} satisfies Settings;
