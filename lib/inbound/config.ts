import type { IdpConfig } from "../idp/config.ts";

/** The shape of the OAuth front. */
export type InboundConfig = BridgeConfig | RemoteConfig | { readonly shape: "none" };

/** What every shape publishes. */
export interface FrontConfig {
  /** The base URL without a trailing slash; the issuer, and the audience of all that is sealed. */
  readonly baseUrl: string;
  /** Where MCP is served: base URL + mount path, without a trailing slash. The resource of RFC 9728. */
  readonly resource: string;
  /** The path part of `resource` as it is on our server, such as `/mcp`; `/` for "every path that is not ours". */
  readonly mountPath: string;
  /** Scopes that clients are told to ask for. */
  readonly scopesSupported: readonly string[];
  /** Shown on the consent page and in the resource metadata. */
  readonly resourceName?: string;
  readonly allow: AllowConfig;
}

/** Who may enter; empty lists let everybody in whom the IdP lets in. An entry in any list is enough. */
export interface AllowConfig {
  readonly subjects: readonly string[];
  readonly emails: readonly string[];
  readonly domains: readonly string[];
  readonly groups: readonly string[];
  readonly requiredScopes: readonly string[];
  /**
   * Google's `hd`: without it an address is one that a private account was once made with, and its domain says
   * nothing of who may use that account today.
   */
  readonly domainClaim?: string;
}

/** We are the authorization server and federate to an IdP. Times in milliseconds. */
export interface BridgeConfig extends FrontConfig {
  readonly shape: "bridge";
  readonly idp: IdpConfig;
  /** Paths of our own endpoints below the base URL; they differ by dialect. */
  readonly paths: { readonly register: string; readonly callback: string };
  /** Outbound mode hands the IdP's token on, so that our tokens must not outlive it. */
  readonly tokenFollowsIdp: boolean;
  readonly codeTtlMs: number;
  readonly loginTtlMs: number;
  readonly accessTtlMs: number;
  readonly refreshTtlMs: number;
  readonly grantTtlMs: number;
  /** 0: registrations never expire. */
  readonly clientTtlMs: number;
  /** 0: strict, a second use of a refresh token ends the family. */
  readonly refreshGraceMs: number;
  readonly revokeBeforeMs?: number;
  readonly renderConsentPage: boolean;
  readonly pkceRequired: boolean;
  readonly stateRequired: boolean;
  readonly prodMode: boolean;
  /** Pre-registered clients, by id. */
  readonly staticClients: readonly StaticClient[];
  /** IdPs whose assertions about users (ID-JAG) are taken from clients that may bring them. */
  readonly assertionIssuers?: readonly string[];
  /** Redirect hosts and private-use schemes beyond the built-in policy; `*` allows any https host. */
  readonly redirectHosts: readonly string[];
  readonly redirectSchemes: readonly string[];
  readonly cimd: { readonly enabled: boolean; readonly allowLoopback: boolean };
  readonly idpExchange: { readonly ratePerSec: number; readonly burst: number };
  readonly logoText: string;
}

/** A client that the operator registered. */
export interface StaticClient {
  readonly clientId: string;
  readonly clientSecret?: string;
  readonly redirectUris: readonly string[];
  readonly name?: string;
  /** A JWK set, for `private_key_jwt`. */
  readonly jwks?: unknown;
  /** Grants without a user at a browser: `client_credentials`, `urn:ietf:params:oauth:grant-type:jwt-bearer`. */
  readonly grantTypes?: readonly string[];
  /** The scopes that it may have for itself. */
  readonly scopes?: readonly string[];
}

/** The IdP does it all; we verify its JWTs. */
export interface RemoteConfig extends FrontConfig {
  readonly shape: "remote";
  readonly provider: "keycloak" | "jwt";
  readonly issuerUrl: string;
  readonly audience?: string;
  readonly groupsClaim: string;
  /** One client's credentials handed to whoever registers (allardy's way); see its warning. */
  readonly staticClient?: { readonly clientId: string; readonly clientSecret: string };
  readonly registerPath: string;
  /** A token without our audience is refused (always so with outbound `forward`). */
  readonly requireAudience: boolean;
}
