/** A client that proves itself by a signature of its own (`private_key_jwt`, RFC 7523 section 3). */
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from "jose";
import type { Clock } from "../base/clock.ts";

/** What an assertion must be. */
export interface AssertionRules {
  /** Issuer and subject. */
  readonly clientId: string;
  /** One of these must be the audience: the token endpoint, the issuer. */
  readonly audiences: readonly string[];
  readonly clock: Clock;
}

/** What is left to check: that the assertion is used once. */
export interface CheckedAssertion {
  readonly jti: string;
  readonly expiresAtMs: number;
}

const algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];
const maxLength = 8_192;
/** Longer lives would have to be remembered for as long. */
const maxLifeSec = 600;
const toleranceSec = 30;

/** The assertion's id and end, or `undefined` when it is not good. Keys come from `keys` alone, never from a header. */
export async function checkClientAssertion(
  assertion: string,
  keys: unknown,
  rules: AssertionRules,
): Promise<CheckedAssertion | undefined> {
  if (assertion.length > maxLength) return undefined;
  try {
    const { payload } = await jwtVerify(assertion, createLocalJWKSet(publicKeys(keys)), {
      algorithms,
      issuer: rules.clientId,
      subject: rules.clientId,
      audience: [...rules.audiences],
      currentDate: new Date(rules.clock.now()),
      clockTolerance: toleranceSec,
      requiredClaims: ["exp", "jti"],
    });
    const { jti, exp = 0 } = payload;
    const nowSec = rules.clock.now() / 1000;
    if (typeof jti !== "string" || jti === "" || exp - nowSec > maxLifeSec + toleranceSec) return undefined;
    return { jti, expiresAtMs: exp * 1000 };
  } catch {
    return undefined;
  }
}

/** Only keys that can do nothing but verify: no shared secrets. */
function publicKeys(keys: unknown): JSONWebKeySet {
  const list = typeof keys === "object" && keys !== null && "keys" in keys && Array.isArray(keys.keys)
    ? keys.keys
    : [];
  return {
    keys: list.filter((key) => typeof key === "object" && key !== null && key.kty !== "oct").slice(0, 20),
  };
}

/** Whose assertion it claims to be; not verified. */
export function assertionSubject(assertion: string): string | undefined {
  try {
    return assertion.length > maxLength ? undefined : decodeJwt(assertion).sub;
  } catch {
    return undefined;
  }
}
