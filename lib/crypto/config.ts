/** Where the signing keys come from. */
export interface KeyConfig {
  /** At least 32 bytes; absent: made once and kept in `keyFile`. */
  readonly secret?: string;
  /** Secrets that still open what they sealed, newest first. */
  readonly previousSecrets: readonly string[];
  /** Holds the generated secret (0600). */
  readonly keyFile: string;
  /** The audience inside everything sealed: the public base URL. */
  readonly audience: string;
}
