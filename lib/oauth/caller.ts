/** Who a bearer token turned out to be. Whatever the shape of the front, this is all that the rest of http mode sees. */
export interface Caller {
  /** The IdP's subject, or the client's id for a machine. */
  readonly subject: string;
  readonly email?: string;
  readonly emailVerified?: boolean;
  readonly name?: string;
  readonly groups: readonly string[];
  /** The OAuth client that acts for the subject. */
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** When the presented token ends, in milliseconds since the epoch. */
  readonly expiresAtMs: number;
  /** The login that this token comes from; stable over refreshes. Absent where we issued nothing (remote shape). */
  readonly grantId?: string;
  /** The token that outbound `forward` may hand on: the IdP's for this user and this resource, never one of ours. */
  readonly forwardable?: string;
  /** Verified claims, for header templates and rules. */
  readonly claims: Readonly<Record<string, unknown>>;
}
