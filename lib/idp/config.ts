/** The IdP that a bridge federates to, as the provider's preset has completed it. */
export interface IdpConfig {
  readonly provider: "oidc" | "google" | "azure" | "aws-cognito";
  /** As typed; a trailing slash is tolerated and the document's own value is used from then on. */
  readonly issuerUrl: string;
  readonly clientId: string;
  readonly clientSecret?: string;
  /** PEM for `private_key_jwt`. */
  readonly clientKey?: string;
  /** Scopes in the IdP's own spelling. */
  readonly scopes: readonly string[];
  /** Sent as `audience` to authorize and token, and checked in JWT access tokens that are forwarded. */
  readonly audience?: string;
  readonly authorizeParameters: readonly (readonly [name: string, value: string])[];
  /** A claim name, or a path with dots such as `realm_access.roles`. */
  readonly groupsClaim: string;
  readonly allowInsecureHttp: boolean;
  /** What this provider does differently, filled in by its preset. */
  readonly quirks: IdpQuirks;
}

/** Differences between IdPs, as data. */
export interface IdpQuirks {
  /** Never look into or judge the access token. */
  readonly opaqueAccessToken?: boolean;
  /** Issuers accepted in an id_token beside the discovered one, such as Entra's v1 issuer. */
  readonly alsoIssuers?: readonly string[];
  /** A discovered issuer that will do although it is not the typed one, for tenants that are named by a domain. */
  readonly issuerPattern?: RegExp;
  /** The tenant that an id_token's `tid` must name. */
  readonly tenantId?: string;
  /** The hosted domain that an id_token's `hd` must name. */
  readonly hostedDomain?: string;
  /** Prefix put before the client's scope names toward the IdP and taken off again. */
  readonly scopePrefix?: string;
  /** Token requests name the scopes too, or the IdP picks another resource. */
  readonly scopeInTokenRequest?: boolean;
  /** Extra authorize parameters only while no refresh token is held for the user (Google's `prompt=consent`). */
  readonly offlineParameters?: readonly (readonly [name: string, value: string])[];
}
