/**
 * Texts that are too long to be carried: sealed into the store, in pieces that every store takes, under a reference
 * that is carried instead.
 */
import { randomText } from "../../base/bytes.ts";
import type { Sealer } from "../../crypto/sealer.ts";
import type { Store } from "../../store/store.ts";

/** The reference. */
export interface KeptText {
  readonly kept: string;
  readonly pieces: number;
}

/** Characters of one piece; sealed, non-ASCII at its worst included, it stays under `maxSealedLength`. */
const pieceLength = 3_500;

const keyOf = (id: string, at: number) => ["kept", id, String(at)];

/** Keeps a text for `ttlMs`. @throws StoreUnavailable */
export async function keepText(
  parts: { readonly store: Store; readonly sealer: Sealer },
  text: string,
  ttlMs: number,
): Promise<KeptText> {
  const kept = randomText(16);
  const pieces = Math.max(1, Math.ceil(text.length / pieceLength));
  await Promise.all(Array.from({ length: pieces }, async (_, at) => {
    const piece = { kept, at, text: text.slice(at * pieceLength, (at + 1) * pieceLength) };
    await parts.store.put(keyOf(kept, at), await parts.sealer.seal("idp_tokens", piece, ttlMs), ttlMs);
  }));
  return { kept, pieces };
}

/** The text, or `undefined` when the store has lost it or it has expired. @throws StoreUnavailable */
export async function readKeptText(
  parts: { readonly store: Store; readonly sealer: Sealer },
  reference: KeptText,
): Promise<string | undefined> {
  const pieces = await Promise.all(Array.from({ length: reference.pieces }, async (_, at) => {
    const entry = await parts.store.get<string>(keyOf(reference.kept, at));
    if (entry === undefined) return undefined;
    const opened = await parts.sealer.open<{ kept: string; at: number; text: string }>(
      "idp_tokens",
      entry.value,
    );
    return opened.ok && opened.value.kept === reference.kept && opened.value.at === at
      ? opened.value.text
      : undefined;
  }));
  return pieces.includes(undefined) ? undefined : pieces.join("");
}

/** Forgets the text; a store that is lost forgets by itself in time. */
export async function dropKeptText(parts: { readonly store: Store }, reference: KeptText): Promise<void> {
  await Promise.all(
    Array.from({ length: reference.pieces }, (_, at) => parts.store.delete(keyOf(reference.kept, at))),
  );
}

/** Whether what is carried is the reference instead of the thing. */
export function isKept(body: object): body is KeptText {
  return "kept" in body;
}
