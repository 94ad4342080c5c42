/** A user as the IdP's verified id_token (or userinfo) describes them. */
export interface Identity {
  readonly subject: string;
  readonly email?: string;
  /** Absent when the IdP says nothing. */
  readonly emailVerified?: boolean;
  readonly name?: string;
  readonly groups: readonly string[];
  /** The groups claim was there but was not a list of strings. */
  readonly groupsMalformed?: boolean;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** What the IdP's token endpoint gave; times are milliseconds since the epoch. */
export interface IdpTokens {
  readonly accessToken: string;
  readonly refreshToken?: string;
  readonly idToken?: string;
  /** Absent: the IdP did not say. */
  readonly expiresAtMs?: number;
  readonly refreshExpiresAtMs?: number;
  readonly scope?: string;
}

/** What an authorization request to the IdP carries; its PKCE verifier stays with the caller. */
export interface IdpAuthorizeRequest {
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  /** S256 of the verifier, base64url. */
  readonly codeChallenge: string;
  /** Ask the user to choose an account. */
  readonly selectAccount?: boolean;
  /** The caller holds a refresh token of this user already, so the IdP need not be made to give one. */
  readonly hasRefreshToken?: boolean;
}

/** The IdP that a bridge federates to. Nothing is fetched before the first call, so an IdP that is down heals by itself. */
export interface Idp {
  /** The provider's name, such as `google`. */
  readonly name: string;
  /** Throws an `IdpError` when discovery does not succeed. */
  authorizeUrl(request: IdpAuthorizeRequest): Promise<URL>;
  /**
   * Exchanges the callback's parameters for tokens and a verified identity.
   * @throws IdpError; `dead` when the IdP refused, `transient` when it could not be asked.
   */
  exchange(callback: {
    readonly parameters: URLSearchParams;
    readonly redirectUri: string;
    readonly state: string;
    readonly nonce: string;
    readonly codeVerifier: string;
  }): Promise<{ readonly tokens: IdpTokens; readonly identity: Identity }>;
  /** The refreshed tokens keep the old refresh token when the IdP sends none; identity is there when an id_token came. */
  refresh(refreshToken: string): Promise<{ readonly tokens: IdpTokens; readonly identity?: Identity }>;
  /** Tells the IdP that a refresh token is no longer wanted; does nothing where the IdP has no revocation. */
  revoke(refreshToken: string): Promise<void>;
  /** Resolves when the IdP has been reached and its metadata is usable. */
  ready(): Promise<void>;
  /** Whether it answers now. */
  reachable(): Promise<boolean>;
}

/** `dead`: the grant or the login is gone for good. `transient`: ask again later; nothing may be thrown away. */
export class IdpError extends Error {
  override readonly name = "IdpError";
  constructor(
    readonly kind: "dead" | "transient",
    /** A snake_case word for log and metrics, such as `idp_unreachable`, `invalid_grant` or `nonce_mismatch`. */
    readonly reason: string,
    message: string,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
  }
}

/** The IdP vouches for a user, of another organisation than the configured one. */
export class WrongOrganization extends IdpError {
  constructor(reason: string, message: string, readonly account: string | undefined) {
    super("dead", reason, message);
  }
}
