/** Why a signing secret is no good; each has its own consequence at start. */
export type SecretWeakness =
  | "too_short" // always refused
  | "repeating" // refused in production
  | "few_bytes"; // refused in production

/** The fewest bytes of a signing secret. */
export const minSecretBytes = 32;

/**
 * What is wrong with a signing secret as far as it can be told by looking: fewer than 32 bytes, one part over and over,
 * or fewer than eight different bytes. Random bytes in any encoding never look like that.
 */
export function secretWeakness(secret: string | Uint8Array): SecretWeakness | undefined {
  const bytes = typeof secret === "string" ? new TextEncoder().encode(secret) : secret;
  if (bytes.length < minSecretBytes) return "too_short";
  for (let period = 1; period * 2 <= bytes.length; period++) {
    if (bytes.every((byte, at) => at < period || byte === bytes[at - period])) return "repeating";
  }
  return new Set(bytes).size < 8 ? "few_bytes" : undefined;
}

/** The weakness as the end of a sentence that begins with the setting's name. */
export function weaknessText(weakness: SecretWeakness): string {
  switch (weakness) {
    case "too_short":
      return `is shorter than ${minSecretBytes} bytes`;
    case "repeating":
      return "is one part repeated";
    case "few_bytes":
      return "has fewer than 8 different bytes";
  }
}
