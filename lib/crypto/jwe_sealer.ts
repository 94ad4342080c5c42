/**
 * The sealer: compact JWE, `dir` + `A256GCM` (RFC 7516, RFC 7518), made and opened by jose.
 *
 *     {"alg":"dir","enc":"A256GCM","kid":…,"typ":purpose} . . iv . {aud, iat, exp, val} . tag
 *
 * A text is opened only if its protected header is, byte for byte, one that this sealer writes, so that no parameter
 * of a foreign header is ever obeyed; and only in its one canonical spelling, so that a used text cannot come back in
 * another one.
 */
import { compactDecrypt, CompactEncrypt } from "jose";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { type KeyRing } from "./key_ring.ts";
import { maxSealedLength, type Opened, type Purpose, type Sealer, type SealFailure } from "./sealer.ts";

/** What a sealer is made with. */
export interface SealerOptions {
  readonly keys: KeyRing;
  /** The public base URL; a text sealed for another one is not opened. */
  readonly audience: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called after each seal; for metrics. */
  readonly onSeal?: (purpose: Purpose) => void;
}

/** Random nonces are safe for 2^32 texts of one key (NIST SP 800-38D); a warning comes well before. */
const warnAfterSeals = 2 ** 28;

interface Header {
  readonly kid: string;
  readonly purpose: Purpose;
}

/** What is encrypted; times in milliseconds since the epoch. */
interface Content {
  readonly aud: string;
  readonly iat: number;
  readonly exp?: number;
  readonly val: unknown;
}

/** A sealer over the ring's keys. */
export function jweSealer(options: SealerOptions): Sealer {
  const { keys, audience, clock, log } = options;
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  const headers = new Map<string, Header>();
  const learned = new Set<Purpose>();
  const seals = new Map<Purpose, number>();

  /** Adds the purpose's headers, one for each key, to those that are known. */
  function learn(purpose: Purpose): void {
    if (learned.has(purpose)) return;
    learned.add(purpose);
    for (const kid of keys.kids) headers.set(encodeHeader(kid, purpose), { kid, purpose });
  }

  function count(purpose: Purpose): void {
    const made = (seals.get(purpose) ?? 0) + 1;
    seals.set(purpose, made);
    if (made === warnAfterSeals) {
      log.warn("seal_count_high", { purpose, count: made, hint: "rotate TOKEN_SIGNING_SECRET" });
    }
    options.onSeal?.(purpose);
  }

  return {
    async seal(purpose, value, ttlMs) {
      const iat = clock.now();
      const content: Content = {
        aud: audience,
        iat,
        ...(ttlMs === undefined ? {} : { exp: iat + ttlMs }),
        val: value,
      };
      const plain = encoder.encode(JSON.stringify(content));
      // Base64url adds a third; a text that cannot fit is not encrypted first.
      const tooLong = plain.length * 4 / 3 > maxSealedLength;
      const [kid] = keys.kids;
      const text = tooLong ? "" : await new CompactEncrypt(plain)
        .setProtectedHeader(protectedHeader(kid, purpose))
        .encrypt(await keys.key(kid, purpose));
      if (tooLong || text.length > maxSealedLength) {
        throw new RangeError(`Cannot seal for "${purpose}": longer than ${maxSealedLength} characters`);
      }
      count(purpose);
      return text;
    },

    async open<T>(purpose: Purpose, text: string): Promise<Opened<T>> {
      if (text.length > maxSealedLength || !isCanonical(text)) return refused("malformed");
      learn(purpose);
      const encoded = text.slice(0, text.indexOf("."));
      const header = headers.get(encoded);
      if (header === undefined) return refused(foreignHeader(encoded, keys.kids));
      if (header.purpose !== purpose) return refused("wrong_purpose");
      let content: Content;
      try {
        const { plaintext } = await compactDecrypt(text, await keys.key(header.kid, purpose), only);
        content = JSON.parse(decoder.decode(plaintext));
      } catch {
        return refused("malformed");
      }
      if (content.aud !== audience) return refused("wrong_audience");
      if (content.exp !== undefined && clock.now() >= content.exp) return refused("expired");
      return { ok: true, value: content.val as T, issuedAtMs: content.iat, expiresAtMs: content.exp };
    },
  };
}

const only = { keyManagementAlgorithms: ["dir"], contentEncryptionAlgorithms: ["A256GCM"] };

function protectedHeader(kid: string, purpose: Purpose) {
  return { alg: "dir", enc: "A256GCM", kid, typ: purpose };
}

function encodeHeader(kid: string, purpose: Purpose): string {
  return new TextEncoder().encode(JSON.stringify(protectedHeader(kid, purpose)))
    .toBase64({ alphabet: "base64url", omitPadding: true });
}

function refused(reason: SealFailure): { readonly ok: false; readonly reason: SealFailure } {
  return { ok: false, reason };
}

/** Five base64url parts, the second empty, without padding and with no stray bits in a last character. */
function isCanonical(text: string): boolean {
  const match = /^([\w-]+)\.\.([\w-]{16})\.([\w-]+)\.([\w-]{21}[AQgw])$/.exec(text);
  const body = match?.[3];
  if (body === undefined) return false;
  switch (body.length % 4) {
    case 0:
      return true;
    case 2:
      return /[AQgw]$/.test(body);
    case 3:
      return /[AEIMQUYcgkosw048]$/.test(body);
    default:
      return false;
  }
}

/** Why a header that this sealer would not write for the wanted purpose is refused; for log and metrics only. */
function foreignHeader(encoded: string, kids: readonly string[]): SealFailure {
  try {
    const bytes = Uint8Array.fromBase64(encoded, { alphabet: "base64url" });
    const header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (encodeHeader(header.kid, header.typ) !== encoded) return "malformed";
    return kids.includes(header.kid) ? "wrong_purpose" : "unknown_key";
  } catch {
    return "malformed";
  }
}
