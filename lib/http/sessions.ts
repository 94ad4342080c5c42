/**
 * An upstream's `Mcp-Session-Id` bound to who opened it. The client gets a sealed text that holds the upstream's id
 * with its owner, so that there is no table: any replica can open it, and for anybody else it is unknown. What was
 * opened is remembered for a while, only to save the work.
 */
import type { Sealer } from "../crypto/sealer.ts";
import type { Caller } from "../oauth/caller.ts";

/** Inside the seal. */
interface Bound {
  /** The upstream's id. */
  readonly id: string;
  readonly subject: string;
  readonly client: string;
}

const maxRemembered = 10_000;

/** Binds and opens session ids. */
export class Sessions {
  readonly #opened = new Map<string, Bound>();

  constructor(private readonly sealer: Sealer) {}

  /** The id that the client gets for the upstream's. */
  async bind(id: string, caller: Caller): Promise<string> {
    const bound = { id, subject: caller.subject, client: caller.clientId };
    const text = await this.sealer.seal("session", bound, undefined);
    this.#remember(text, bound);
    return text;
  }

  /** The upstream's id, or `undefined` for anybody but its owner; at once for one that was opened before. */
  open(text: string, caller: Caller): string | undefined | Promise<string | undefined> {
    const bound = this.#opened.get(text);
    return bound === undefined ? this.#openSealed(text, caller) : ownedId(bound, caller);
  }

  async #openSealed(text: string, caller: Caller): Promise<string | undefined> {
    const opened = await this.sealer.open<Bound>("session", text);
    if (!opened.ok) return undefined;
    this.#remember(text, opened.value);
    return ownedId(opened.value, caller);
  }

  #remember(text: string, bound: Bound): void {
    if (this.#opened.size >= maxRemembered) {
      const oldest = this.#opened.keys().next().value;
      if (oldest !== undefined) this.#opened.delete(oldest);
    }
    this.#opened.set(text, bound);
  }
}

function ownedId(bound: Bound, caller: Caller): string | undefined {
  return bound.subject === caller.subject && bound.client === caller.clientId ? bound.id : undefined;
}
