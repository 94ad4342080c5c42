/** The identity provider: what both modes need to know of it. */
import { issuer, parameters, pem, scopes, text } from "../../base/kinds.ts";
import type { Settings } from "../../base/setting.ts";

/** The heading of all that is about it. */
export const idpGroup = "Identity provider";

const group = idpGroup;

export const idpSettings = {
  issuerUrl: {
    kind: issuer,
    env: "OIDC_ISSUER_URL",
    flag: "oidc-issuer-url",
    mode: "both",
    group,
    help: "Issuer of the identity provider; in stdio mode found out from the upstream when not given",
  },
  clientId: {
    kind: text,
    env: "OIDC_CLIENT_ID",
    flag: "oidc-client-id",
    mode: "both",
    group,
    help: "The OAuth client that is registered for us at the identity provider",
  },
  clientSecret: {
    kind: text,
    env: "OIDC_CLIENT_SECRET",
    flag: "oidc-client-secret",
    secret: true,
    mode: "both",
    group,
    help: "Its secret; not for public clients",
  },
  clientKey: {
    kind: pem,
    env: "OIDC_CLIENT_KEY",
    flag: "oidc-client-key",
    secret: true,
    mode: "both",
    group,
    help: "Its private key (PKCS#8 PEM), to authenticate with private_key_jwt instead of a secret",
  },
  oidcScopes: {
    kind: scopes,
    env: "OIDC_SCOPES",
    flag: "oidc-scopes",
    defaultText:
      "openid profile email with an issuer in stdio mode, what the upstream says without, else the provider's",
    mode: "both",
    group,
    help: "Scopes to ask the identity provider for",
  },
  audience: {
    kind: text,
    env: "AUDIENCE",
    envAliases: ["OIDC_AUDIENCE"],
    flag: "audience",
    mode: "both",
    group,
    help: "Audience that access tokens must have; also asked for at the identity provider",
  },
  authorizeParameters: {
    kind: parameters,
    env: "OIDC_AUTHORIZE_PARAMS",
    flag: "oidc-authorize-params",
    mode: "both",
    group,
    help: "Further parameters of the authorization request",
  },
} satisfies Settings;
