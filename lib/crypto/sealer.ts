/** What a sealed text is for. A text sealed for one purpose cannot be opened as another. */
export type Purpose =
  | "client" // a dynamic registration, as client_id
  | "client_secret" // the secret that goes with one
  | "consent" // the form of the consent page
  | "flow" // a login on its way through the IdP, as state
  | "browser" // the cookie that binds a login to one browser
  | "code" // an authorization code
  | "access" // an access token
  | "refresh" // a refresh token
  | "successor" // the answer that a refresh token was rotated into, kept for the grace window
  | "idp_tokens" // an IdP's tokens kept in the store
  | "order" // of the operator's command to the running server
  | "session" // an upstream Mcp-Session-Id bound to its owner
  | "cache"; // a value in the local token cache

/** Why a sealed text was not accepted. */
export type SealFailure = "malformed" | "unknown_key" | "wrong_purpose" | "wrong_audience" | "expired";

/** The outcome of opening a sealed text. */
export type Opened<T> =
  | {
    readonly ok: true;
    readonly value: T;
    readonly issuedAtMs: number;
    readonly expiresAtMs: number | undefined;
  }
  | { readonly ok: false; readonly reason: SealFailure };

/**
 * Turns values into texts that only this deployment can make or read (compact JWE, `dir` + `A256GCM`, RFC 7516), so
 * that nothing between two requests lives in memory. Lifetime and audience are inside.
 */
export interface Sealer {
  /** `ttlMs` undefined: never expires. Throws a `RangeError` when the text would be longer than `maxSealedLength`. */
  seal(purpose: Purpose, value: unknown, ttlMs: number | undefined): Promise<string>;
  open<T>(purpose: Purpose, text: string): Promise<Opened<T>>;
}

/** The longest sealed text that is made or opened, in characters. */
export const maxSealedLength = 16_384;
