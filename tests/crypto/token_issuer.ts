import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";
import type { HttpClient } from "../../lib/base/http_client.ts";
import { type Logger, silentLog } from "../../lib/base/log.ts";
import { tokenVerifier, type VerifyToken } from "../../lib/crypto/access_token.ts";
import { type RemoteKeys, remoteKeys } from "../../lib/crypto/jwks.ts";
import { type FakeClock, fakeClock } from "../fakes/clock.ts";

/** The issuer's URL and that of its keys. */
export const issuer = "https://idp.example.com/realms/one";
export const jwksUri = "https://idp.example.com/keys";
export const audience = "https://mcp.example.com/mcp";

/** A key pair with its public JWK. */
export interface SigningKey {
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

/** Makes a key for an algorithm. */
export async function signingKey(alg: string, kid?: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...await exportJWK(publicKey), alg, use: "sig", ...(kid === undefined ? {} : { kid }) };
  return { privateKey, jwk };
}

/** An issuer whose keys are served by a function, with every outbound request on record. */
export interface TokenIssuer {
  readonly clock: FakeClock;
  readonly http: HttpClient;
  readonly keys: RemoteKeys;
  readonly verify: VerifyToken;
  /** What was fetched, in order. */
  readonly fetched: string[];
  /** The answer of the keys' address; change it at will. */
  answer: () => Promise<Response>;
  /** A token that is good for `audience`; `undefined` takes a claim away. */
  token(claims?: JWTPayload, header?: Record<string, unknown>, key?: SigningKey): Promise<string>;
}

/** An issuer with these keys. */
export function tokenIssuer(signing: readonly SigningKey[], log: Logger = silentLog): TokenIssuer {
  const clock = fakeClock();
  const fetched: string[] = [];
  const http: HttpClient = {
    fetch(url) {
      fetched.push(String(url));
      return it.answer();
    },
    close: () => {},
  };
  const keys = remoteKeys({ uri: () => Promise.resolve(jwksUri), http, clock, log });
  const it: TokenIssuer = {
    clock,
    http,
    keys,
    fetched,
    verify: tokenVerifier(keys, clock),
    answer: () => Promise.resolve(Response.json({ keys: signing.map((key) => key.jwk) })),
    async token(claims = {}, header = {}, key = signing[0]) {
      if (key === undefined) throw new TypeError("no key");
      const now = Math.floor(clock.now() / 1_000);
      const all = { iss: issuer, aud: audience, sub: "alice", iat: now, exp: now + 300, ...claims };
      const { alg = "RS256", kid } = key.jwk;
      const given = { alg, ...(kid === undefined ? {} : { kid }), ...header };
      return await new SignJWT(JSON.parse(JSON.stringify(all))).setProtectedHeader(given).sign(
        key.privateKey,
      );
    },
  };
  return it;
}

/** A token of any header and claims with any signature. */
export function forged(header: unknown, claims: unknown, signature = "AAAA"): string {
  const part = (value: unknown) =>
    new TextEncoder().encode(JSON.stringify(value)).toBase64({ alphabet: "base64url", omitPadding: true });
  return `${part(header)}.${part(claims)}.${signature}`;
}
