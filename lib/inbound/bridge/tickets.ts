/**
 * What is carried from one step of the flow to the next: sealed, by the browser or the client, never by us. Times are
 * milliseconds since the epoch unless named otherwise. Member names are short where the ticket travels in a URL.
 */
import type { Opened, Sealer } from "../../crypto/sealer.ts";
import type { KeptText } from "./kept_text.ts";

/** How a client proves itself at the token endpoint (RFC 7591 section 2). */
export type ClientAuthMethod = "none" | "client_secret_post" | "client_secret_basic" | "private_key_jwt";

/** A dynamic registration; the sealed text is the `client_id`. */
export interface ClientTicket {
  readonly id: string;
  readonly uris: readonly string[];
  readonly name?: string;
  readonly auth: ClientAuthMethod;
}

/** The secret of a dynamic registration; the sealed text is the `client_secret`. */
export interface ClientSecretTicket {
  /** `ClientTicket.id`. */
  readonly client: string;
}

/** A validated authorization request, as every later step sees it. */
export interface LoginRequest {
  /** `Client.key`. */
  readonly client: string;
  readonly name?: string;
  /** Exactly as it was asked for. */
  readonly uri: string;
  readonly state?: string;
  /** S256; absent only where PKCE is not required. */
  readonly challenge?: string;
  readonly scopes: readonly string[];
}

/** The form of the consent page. */
export interface ConsentTicket {
  readonly jti: string;
  readonly request: LoginRequest;
  /** SHA-256 of the browser's id. */
  readonly browser: string;
}

/** A login at the IdP; the sealed text is our `state` there. Made only after approval. */
export interface FlowTicket extends ConsentTicket {
  readonly nonce: string;
  /** Our PKCE verifier toward the IdP. */
  readonly verifier: string;
  /** How often the login was begun again after a failure. */
  readonly tries: number;
}

/** The cookie that binds a login to one browser. */
export interface BrowserTicket {
  readonly id: string;
  /** Who signed in here last, for the consent page. */
  readonly account?: string;
}

/** Who the grant is for, as the IdP said last. */
export interface GrantIdentity {
  readonly subject: string;
  readonly email?: string;
  readonly emailVerified?: boolean;
  readonly name?: string;
  readonly groups: readonly string[];
  readonly claims: Readonly<Record<string, unknown>>;
  /** A client that acts for itself; the lists of who may enter are about people. */
  readonly machine?: true;
}

/** What stays the same over all tokens of one login. */
export interface Grant {
  readonly id: string;
  readonly client: string;
  readonly clientName?: string;
  readonly scopes: readonly string[];
  readonly resource: string;
  /** When the user signed in; revocation by time and the absolute lifetime count from here. */
  readonly originMs: number;
}

/** What is held of the IdP for a grant. */
export interface HeldIdpTokens {
  readonly accessToken?: string;
  readonly refreshToken?: string;
  readonly expiresAtMs?: number;
  readonly refreshExpiresAtMs?: number;
  /** When the IdP confirmed the user last. */
  readonly checkedAtMs: number;
}

/** An authorization code. Identity and IdP tokens are kept in the store meanwhile, so that URLs stay short. */
export interface CodeTicket {
  readonly jti: string;
  readonly grant: Grant;
  readonly uri: string;
  readonly challenge?: string;
  readonly kept: KeptText;
}

/** The larger part of an access token; moved to the store where the token would be too long. */
export interface AccessBody {
  readonly identity: GrantIdentity;
  /** The IdP's access token, for outbound modes that hand it on. */
  readonly idpToken?: string;
}

/** An access token. */
export interface AccessTicket {
  readonly jti: string;
  readonly grant: Grant;
  readonly subject: string;
  readonly body: AccessBody | KeptText;
}

/** The larger part of a refresh token. */
export interface RefreshBody {
  readonly identity: GrantIdentity;
  readonly idp: HeldIdpTokens | null;
}

/** A refresh token. */
export interface RefreshTicket {
  readonly jti: string;
  readonly grant: Grant;
  readonly subject: string;
  readonly body: RefreshBody | KeptText;
}

/** What the token endpoint answers, apart from wording. */
export interface IssuedTokens {
  readonly accessToken: string;
  readonly accessExpiresAtMs: number;
  readonly refreshToken?: string;
  readonly scopes: readonly string[];
}

interface Tickets {
  client: ClientTicket;
  client_secret: ClientSecretTicket;
  consent: ConsentTicket;
  flow: FlowTicket;
  browser: BrowserTicket;
  code: CodeTicket;
  access: AccessTicket;
  refresh: RefreshTicket;
  successor: IssuedTokens;
}

/** Seals a ticket for its purpose; `ttlMs` undefined: it never expires. */
export function sealTicket<P extends keyof Tickets>(
  sealer: Sealer,
  purpose: P,
  ticket: Tickets[P],
  ttlMs: number | undefined,
): Promise<string> {
  return sealer.seal(purpose, ticket, ttlMs === undefined ? undefined : Math.max(1, Math.floor(ttlMs)));
}

/** Opens a ticket of one purpose. */
export function openTicket<P extends keyof Tickets>(
  sealer: Sealer,
  purpose: P,
  text: string,
): Promise<Opened<Tickets[P]>> {
  return sealer.open<Tickets[P]>(purpose, text);
}
