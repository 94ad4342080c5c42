/**
 * The requests of the host that wait for an answer. Each is answered exactly once: by the upstream, on whichever
 * stream the answer comes, or by an error of ours.
 */
import { type Head, isRequest, isResponse } from "./head.ts";

/** A message of the host on its way up. */
export interface Outgoing {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly batch: boolean;
  readonly heads: readonly Head[];
}

/** One request and whoever waits for its end. */
export interface Waiting {
  readonly head: Head;
  readonly id: string;
  /** What its id is known by. */
  readonly key: string;
  answered: boolean;
  /** The host does not wait for the answer any more; one that comes is handed on, none is made up. */
  cancelled: boolean;
  /** Resolves when it is answered or given up. */
  readonly done: Promise<void>;
  readonly finish: () => void;
  /** Ends the request's own stream, such as when the host cancels it (revision 2026-07-28). */
  readonly abort: AbortController;
  /** Changes the answer on its way to the host, where a rule asks for it; gives the parts to be written. */
  onAnswer?: ((parts: readonly Uint8Array[], head: Head) => readonly Uint8Array[]) | undefined;
}

/** The message's requests, its notifications and answers left out. */
export function requestsOf(message: Outgoing): readonly (Head & { readonly id: string })[] {
  return message.heads.filter((head): head is Head & { id: string } => isRequest(head));
}

/**
 * Two texts of one id are one id: `"a"` and `"\u0061"`, 1 and 1.0. Big integers stay as they are. The `#` keeps numbers
 * from being places in an array.
 */
export function idKey(raw: string): string {
  const first = raw.charCodeAt(0);
  // A string without escapes is its own shortest text.
  const plain = first === 0x22 ? /^"[a-zA-Z0-9_-]*"$/.test(raw) : /^-?\d+$/.test(raw);
  return plain ? `#${raw}` : `#${JSON.stringify(JSON.parse(raw))}`;
}

function sameText(one: string | undefined, other: string): boolean {
  return one !== undefined && `${JSON.parse(one)}` === `${JSON.parse(other)}`;
}

/** A request that is answered when it ends, which may be never. */
export function isEndless(head: Head): boolean {
  return head.method === "subscriptions/listen";
}

/** All requests under way. */
export class WaitingRequests {
  /** By `idKey`; no Map, for the reason that `base/crowd.ts` tells. */
  readonly #byId: Record<string, readonly Waiting[]> = Object.create(null);
  #count = 0;
  #empty = Promise.withResolvers<void>();

  /** How many are not answered yet, those apart that only end with the connection. */
  get count(): number {
    return this.#count;
  }

  /** A host may use an id again while the first request with it is still waiting; both are answered, in order. */
  add(head: Head & { readonly id: string }, abort: AbortController): Waiting {
    const { promise: done, resolve: finish } = Promise.withResolvers<void>();
    const key = idKey(head.id);
    const waiting: Waiting = {
      head,
      id: head.id,
      key,
      answered: false,
      cancelled: false,
      done,
      finish,
      abort,
    };
    this.#byId[key] = [...this.#byId[key] ?? [], waiting];
    if (!isEndless(head)) this.#count++;
    return waiting;
  }

  /** The request with this id that has waited longest. */
  find(rawId: string): Waiting | undefined {
    return this.#byId[idKey(rawId)]?.[0];
  }

  /** Marks a request as answered; false when it was before. */
  settle(waiting: Waiting): boolean {
    if (waiting.answered) return false;
    waiting.answered = true;
    waiting.finish();
    const same = this.#byId[waiting.key]?.filter((other) => other !== waiting) ?? [];
    if (same.length === 0) delete this.#byId[waiting.key];
    else this.#byId[waiting.key] = same;
    if (!isEndless(waiting.head) && --this.#count === 0) {
      this.#empty.resolve();
      this.#empty = Promise.withResolvers();
    }
    return true;
  }

  /** Resolves when nothing waits. */
  async settled(): Promise<void> {
    if (this.#count > 0) await this.#empty.promise;
  }

  /** Every request that waits. */
  all(): Waiting[] {
    return Object.values(this.#byId).flat();
  }

  /**
   * The request that this answer belongs to. `own` are the requests of the POST it came on: with only one of them an
   * error is meant for it whatever its id (the Python SDK says "server-error"), and a result whose id is the same but
   * for its type.
   */
  match(answer: Head, own: readonly Waiting[]): Waiting | undefined {
    if (!isResponse(answer)) return undefined;
    const key = answer.id === undefined ? undefined : idKey(answer.id);
    const open = own.filter((waiting) => !waiting.answered);
    const mine = open.find((waiting) => waiting.key === key);
    if (mine !== undefined) return mine;
    const other = answer.id === undefined ? undefined : this.find(answer.id);
    const [only] = own.length === 1 ? open : [];
    const isMeant = only !== undefined && (answer.hasError === true || sameText(answer.id, only.id));
    return other ?? (isMeant ? only : undefined);
  }
}
