/**
 * Orders of the operator to a running server, which alone may write to its store on a file:
 *
 *     revoke command -> order, sealed with the deployment's own key -> POST /orders on the admin listener
 *       -> opened -> the revocation, in the store
 *
 * Nobody without the key can make one, so the listener asks for nothing else.
 */
import type { Sealer } from "../../crypto/sealer.ts";
import type { Store } from "../../store/store.ts";
import { revokeClient, revokeUser } from "./revocations.ts";

/** Whose logins are to end; both members: those of the user and, as well, those by the client. */
export interface RevocationOrder {
  readonly subject?: string;
  readonly client?: string;
}

/** An order is carried out at once or not at all. */
const orderTtlMs = 60_000;

/** The order as it travels. */
export function sealOrder(sealer: Sealer, order: RevocationOrder): Promise<string> {
  return sealer.seal("order", order, orderTtlMs);
}

/** Ends the logins that began until now. `ttlMs` is the longest life of a grant. @throws StoreUnavailable */
export async function carryOut(
  store: Store,
  { subject, client }: RevocationOrder,
  time: { readonly nowMs: number; readonly ttlMs: number },
): Promise<void> {
  if (subject !== undefined) await revokeUser(store, subject, time);
  if (client !== undefined) await revokeClient(store, client, time);
}

/** The order in a text, if it is one of ours and of now. */
export async function openOrder(sealer: Sealer, text: string): Promise<RevocationOrder | undefined> {
  const opened = await sealer.open<RevocationOrder>("order", text);
  return opened.ok ? opened.value : undefined;
}
