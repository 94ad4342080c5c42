import { createHash } from "node:crypto";

const known = new Map<string, string>();

/** The same short text for the same subject or e-mail address, from which neither can be read. */
export function pseudonym(text: string): string {
  let hash = known.get(text);
  if (hash === undefined) {
    hash = createHash("sha256").update(text).digest("base64url").slice(0, 16);
    if (known.size >= 10_000) known.clear();
    known.set(text, hash);
  }
  return hash;
}
