/**
 * JWTs of an issuer: access tokens (RFC 9068 and what IdPs make of it) and id_tokens.
 *
 *     size and shape -> header: algorithm, type, no critical extensions -> issuer, audience, kind of token
 *       -> signature by one of the issuer's own keys, exp, nbf
 *
 * What can be told without a key is told first, so that a foreign token never makes us fetch anything. Keys come from
 * the issuer's JWKS alone; `jku`, `x5u`, `x5c` and `jwk` in a header are never looked at.
 */
import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from "jose";
import type { Clock } from "../base/clock.ts";
import { KeysUnavailable, type RemoteKeys } from "./jwks.ts";

/** Why a token was refused; for log and metrics. */
export type TokenFailure =
  | "malformed"
  | "algorithm"
  | "token_type"
  | "issuer"
  | "audience"
  | "authorized_party"
  | "nonce"
  | "claims"
  | "expired"
  | "not_yet_valid"
  | "unknown_key"
  | "signature";

/** The token is not good, and never will be. */
export class TokenRefused extends Error {
  override readonly name = "TokenRefused";
  constructor(readonly reason: TokenFailure, cause?: unknown) {
    super(`The token was refused: ${reason}`, cause === undefined ? undefined : { cause });
  }
}

/** What a token is for. */
export type TokenKind = "access" | "id" | "id_jag";

/** What a token must be. */
export interface TokenRules {
  /** `id_jag`: an assertion about a user that one IdP makes out to another party's authorization server. */
  readonly kind: TokenKind;
  /** One of these, a trailing slash more or less. */
  readonly issuers: readonly string[];
  /** One of these must be in `aud`; none: not checked. For an id_token: the client's id. */
  readonly audiences: readonly string[];
  /** An access token without `aud` may name the audience in `client_id` instead (Cognito). */
  readonly clientIdIsAudience?: boolean;
  /** What an id_token must carry. */
  readonly nonce?: string;
  /** Fewer algorithms than those that are safe. */
  readonly algorithms?: readonly string[];
}

/** The claims of a token that was verified. */
export type TokenClaims = JWTPayload;

/** Checks tokens against one issuer's keys. @throws TokenRefused, KeysUnavailable */
export type VerifyToken = (token: string, rules: TokenRules) => Promise<TokenClaims>;

const maxTokenLength = 32_768;
const clockToleranceSec = 60;

/** Every signature algorithm with a public key; never `none` and never one with a shared secret. */
const asymmetric = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"],
  ...["EdDSA", "Ed25519", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"],
];

/** A check with this issuer's keys and this clock. */
export function tokenVerifier(keys: RemoteKeys, clock: Clock): VerifyToken {
  return async (token, rules) => {
    const algorithms = rules.algorithms?.filter((name) => asymmetric.includes(name)) ?? asymmetric;
    judge(token, algorithms, rules);
    try {
      const options = {
        algorithms,
        clockTolerance: clockToleranceSec,
        currentDate: new Date(clock.now()),
        requiredClaims: rules.kind === "access" ? ["exp"] : ["exp", "sub"],
      };
      return await verifyWithAny(token, keys, options);
    } catch (error) {
      if (error instanceof KeysUnavailable) throw error;
      throw new TokenRefused(failureOf(error), error);
    }
  };
}

type Options = Parameters<typeof jwtVerify>[2];

/** A token without a key id may fit several keys; the right one is found by trying (at most eight). */
async function verifyWithAny(token: string, keys: RemoteKeys, options: Options): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, keys.get, options)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    let tried = 0;
    for await (const key of error) {
      if (++tried > 8) break;
      try {
        return (await jwtVerify(token, key, options)).payload;
      } catch (failure) {
        if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure;
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

function failureOf(error: unknown): TokenFailure {
  // A key that cannot be imported, such as an RSA key that is too short.
  if (!(error instanceof errors.JOSEError)) return "signature";
  if (error instanceof errors.JWTExpired) return "expired";
  if (error instanceof errors.JWTClaimValidationFailed) {
    return error.claim === "nbf" && error.reason === "check_failed" ? "not_yet_valid" : "claims";
  }
  if (error instanceof errors.JWKSNoMatchingKey) return "unknown_key";
  if (error instanceof errors.JWSSignatureVerificationFailed) return "signature";
  if (error instanceof errors.JOSENotSupported || error instanceof errors.JOSEAlgNotAllowed) {
    return "algorithm";
  }
  return "malformed";
}

/** Everything that can be told without a key. */
function judge(token: string, algorithms: readonly string[], rules: TokenRules): void {
  if (token.length > maxTokenLength || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) {
    throw new TokenRefused("malformed");
  }
  const { header, claims } = decode(token);
  if (typeof header.alg !== "string" || !algorithms.includes(header.alg)) throw new TokenRefused("algorithm");
  if (header.crit !== undefined || header.b64 !== undefined) throw new TokenRefused("malformed");
  if (!isOfKind(rules.kind, header.typ, claims)) throw new TokenRefused("token_type");
  if (typeof claims.iss !== "string" || !sameIssuer(claims.iss, rules.issuers)) {
    throw new TokenRefused("issuer");
  }
  const audience = audienceOf(claims, rules);
  if (rules.audiences.length > 0 && !audience.some((name) => rules.audiences.includes(name))) {
    throw new TokenRefused("audience");
  }
  if (rules.kind === "id") {
    // OpenID Connect Core section 3.1.3.7: with several audiences the client must be the authorized party.
    const party = claims.azp;
    const needed = audience.length > 1 || party !== undefined;
    if (needed && !rules.audiences.includes(String(party))) throw new TokenRefused("authorized_party");
    if (rules.nonce !== undefined && claims.nonce !== rules.nonce) throw new TokenRefused("nonce");
  }
}

function decode(token: string) {
  try {
    return { header: decodeProtectedHeader(token), claims: decodeJwt(token) };
  } catch (cause) {
    throw new TokenRefused("malformed", cause);
  }
}

/** The issuer that a token claims to be of; for choosing whose keys to verify it with. */
export function unverifiedIssuer(token: string): string | undefined {
  try {
    return token.length > maxTokenLength ? undefined : decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

function sameIssuer(found: string, wanted: readonly string[]): boolean {
  const bare = (issuer: string) => issuer.replace(/\/$/, "");
  return wanted.some((issuer) => bare(issuer) === bare(found));
}

function audienceOf(claims: JWTPayload, rules: TokenRules): string[] {
  const { aud, client_id: clientId } = claims;
  if (typeof aud === "string") return [aud];
  if (Array.isArray(aud)) return aud.filter((name) => typeof name === "string");
  return aud === undefined && rules.clientIdIsAudience && typeof clientId === "string" ? [clientId] : [];
}

const headerTypes = {
  access: ["jwt", "at+jwt", "application/at+jwt"],
  id: ["jwt"],
  id_jag: ["oauth-id-jag+jwt", "application/oauth-id-jag+jwt"],
};

/**
 * Whether the token is of the wanted kind, as far as it says: by its header (RFC 8725 section 3.11), by Keycloak's
 * `typ` and Cognito's `token_use`, by claims that only id_tokens have, and by the mark of logout and event tokens.
 */
function isOfKind(kind: TokenKind, headerType: unknown, claims: JWTPayload): boolean {
  const type = headerType === undefined ? "jwt" : String(headerType).toLowerCase();
  if (!headerTypes[kind].includes(type)) return false;
  if (claims.events !== undefined) return false;
  if (typeof claims.token_use === "string" && claims.token_use !== kind) return false;
  if (typeof claims.typ === "string") {
    if (["refresh", "offline", "logout"].includes(claims.typ.toLowerCase())) return false;
    if (kind === "access" && claims.typ.toLowerCase() === "id") return false;
  }
  if (kind !== "access" || type !== "jwt") return true;
  const hasScope = claims.scope !== undefined || claims.scp !== undefined;
  return claims.at_hash === undefined && claims.c_hash === undefined &&
    (claims.nonce === undefined || hasScope);
}
