/** Proof Key for Code Exchange, S256 only (RFC 7636), and the random values of a login. */
import { equalInConstantTime, randomText, sha256Text } from "../base/bytes.ts";

/** A verifier and its challenge. */
export interface PkcePair {
  readonly verifier: string;
  readonly challenge: string;
}

/** A fresh pair; the verifier has 43 characters (256 bits). */
export async function pkcePair(): Promise<PkcePair> {
  const verifier = randomText(32);
  return { verifier, challenge: await codeChallenge(verifier) };
}

/** S256 of a verifier. */
export function codeChallenge(verifier: string): Promise<string> {
  return sha256Text(verifier);
}

/** A `state` or `nonce`: 256 random bits. */
export function randomState(): string {
  return randomText(32);
}

/** 43 to 128 unreserved characters (RFC 7636 section 4.1); challenges have the same alphabet. */
export function isCodeVerifier(text: string): boolean {
  return /^[A-Za-z0-9\-._~]{43,128}$/.test(text);
}

/** What S256 can produce: 43 characters of base64url. */
export function isCodeChallenge(text: string): boolean {
  return /^[A-Za-z0-9_-]{43}$/.test(text);
}

/** Whether the verifier is the one that the challenge was made of. */
export async function matchesChallenge(verifier: string, challenge: string): Promise<boolean> {
  return isCodeVerifier(verifier) && equalInConstantTime(await codeChallenge(verifier), challenge);
}
