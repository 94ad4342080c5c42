/** Our own authorization server: how strict it is, and with whom. */
import { bool, decimal, integer } from "../../base/kinds.ts";
import type { Settings } from "../../base/setting.ts";
import { issuerList, originHosts, staticClients } from "./bridge_kinds.ts";
import { schemeList } from "./who_kinds.ts";

const strict = "Strictness (http mode)";

export const bridgeSettings = {
  prodMode: {
    kind: bool,
    env: "PROD_MODE",
    flag: "prod-mode",
    default: true,
    mode: "http",
    group: strict,
    help: "Refuse to start with a setting that weakens a control",
  },
  pkceRequired: {
    kind: bool,
    env: "PKCE_REQUIRED",
    flag: "pkce-required",
    default: true,
    mode: "http",
    group: strict,
    help: "Refuse clients that do not use PKCE",
  },
  allowStateless: {
    kind: bool,
    env: "COMPAT_ALLOW_STATELESS",
    flag: "compat-allow-stateless",
    default: false,
    mode: "http",
    group: strict,
    help: "Accept clients that send no state where it is demanded: with PROXY_BASE_URL, or without PKCE",
  },
  renderConsentPage: {
    kind: bool,
    env: "RENDER_CONSENT_PAGE",
    flag: "render-consent-page",
    default: true,
    mode: "http",
    group: strict,
    help: "Ask the user before a client is let in",
  },
  redirectHosts: {
    kind: originHosts,
    env: "REDIRECT_HOSTS",
    flag: "redirect-hosts",
    default: [],
    mode: "http",
    group: strict,
    help: "Further hosts that clients may have their redirect URIs on; * allows any https host",
  },
  redirectSchemes: {
    kind: schemeList,
    env: "REDIRECT_SCHEMES",
    flag: "redirect-schemes",
    default: [],
    mode: "http",
    group: strict,
    help: "Further private-use schemes that clients may have their redirect URIs on",
  },
  staticClients: {
    kind: staticClients,
    env: "STATIC_CLIENTS",
    flag: "static-clients",
    secret: true,
    default: [],
    mode: "http",
    group: strict,
    help:
      "Clients registered by the operator, as a JSON array of client_id, client_secret or jwks, redirect_uris, client_name, grant_types, scope",
  },
  assertionIssuers: {
    kind: issuerList,
    env: "ASSERTION_ISSUERS",
    flag: "assertion-issuers",
    mode: "http",
    group: strict,
    help:
      "IdPs whose assertions about their users (ID-JAG) are taken from static clients with the grant jwt-bearer",
  },
  cimdEnabled: {
    kind: bool,
    env: "CIMD_ENABLED",
    flag: "cimd-enabled",
    default: true,
    mode: "http",
    group: strict,
    help: "Accept clients whose client_id is the URL of their metadata document",
  },
  cimdAllowLoopback: {
    kind: bool,
    env: "CIMD_ALLOW_LOOPBACK",
    flag: "cimd-allow-loopback",
    default: false,
    mode: "http",
    group: strict,
    help: "Fetch such documents from this machine too, for development",
  },
  idpExchangeRate: {
    kind: decimal(0),
    env: "IDP_EXCHANGE_RATE_PER_SEC",
    flag: "idp-exchange-rate-per-sec",
    default: 0,
    mode: "http",
    group: strict,
    help: "Most code exchanges a second at the identity provider; 0 sets no limit",
  },
  idpExchangeBurst: {
    kind: integer(1),
    env: "IDP_EXCHANGE_BURST",
    flag: "idp-exchange-burst",
    default: 50,
    mode: "http",
    group: strict,
    help: "How many exchanges may come at once before that limit holds",
  },
} satisfies Settings;
