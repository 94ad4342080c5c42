/**
 * How far logins get, by client: registered, authorize, consent, idp, callback, token, first_request. A token that
 * nobody presents within a minute is worth a warning: nearly always an edge in front blocks the client on the MCP path,
 * and nothing else would tell the operator.
 */
import type { BridgeParts } from "./parts.ts";

/** A step of a login, in order. */
export type Step = "registered" | "authorize" | "consent" | "idp" | "callback" | "token" | "first_request";

/** The login that a token belongs to, as far as the funnel looks at it. */
interface Issued {
  readonly id: string;
  readonly clientName?: string;
  readonly originMs: number;
}

/** How long a new token may wait for its first request. */
const patienceMs = 60_000;

/** Names of clients that are counted apart; the rest is `_other`, since anybody may register any name. */
const maxClients = 50;

/** Logins that are waited for at once; more are not watched. */
const maxWaiting = 10_000;

/** One process's view; the mark in the store tells others that a token of theirs was used here. */
export class Funnel {
  readonly #parts: BridgeParts;
  readonly #clients = new Set<string>();
  readonly #waiting = new Map<string, string>();
  readonly #end = new AbortController();

  constructor(parts: BridgeParts) {
    this.#parts = parts;
  }

  /** Counts a step of a client, by the name it registered. */
  step(step: Step, clientName: string | undefined): void {
    this.#parts.counters.add("mcp_doorman_login_steps_total", { step, client: this.#label(clientName) });
  }

  /** A code was redeemed: from now on a first request is waited for. */
  issued(grant: Issued): void {
    this.step("token", grant.clientName);
    if (this.#waiting.size >= maxWaiting || this.#end.signal.aborted) return;
    // There with 0 before the first one, so that an alert sees it rise.
    this.#parts.counters.series("mcp_doorman_token_unused_total", { client: this.#label(grant.clientName) });
    this.#waiting.set(grant.id, grant.clientName ?? "");
    this.#parts.clock.sleep(patienceMs, this.#end.signal).then(() => this.#judge(grant), () => {});
  }

  /** A token of this login was presented. Costs something only in the first minutes of a login. */
  used(grant: Issued): void {
    const { clock, store } = this.#parts;
    if (clock.now() - grant.originMs > 3 * patienceMs) return;
    if (this.#waiting.delete(grant.id)) return this.step("first_request", grant.clientName);
    store.put(markOf(grant), true, 3 * patienceMs).catch(() => {});
  }

  /** Stops waiting. */
  close(): void {
    this.#end.abort();
    this.#waiting.clear();
  }

  async #judge(grant: Issued): Promise<void> {
    if (!this.#waiting.delete(grant.id)) return;
    const { counters, log, store } = this.#parts;
    const elsewhere = await store.get(markOf(grant)).catch(() => undefined);
    if (elsewhere !== undefined) return this.step("first_request", grant.clientName);
    counters.add("mcp_doorman_token_unused_total", { client: this.#label(grant.clientName) });
    log.warn("token_unused", {
      grant: grant.id,
      ...(grant.clientName === undefined ? {} : { clientName: grant.clientName }),
      hint: "no request came within 60 s of the login: does an edge in front block this client's user agent?",
    });
  }

  #label(clientName: string | undefined): string {
    const name = clientName ?? "_unnamed";
    if (this.#clients.has(name)) return name;
    if (this.#clients.size >= maxClients) return "_other";
    this.#clients.add(name);
    return name;
  }
}

const funnels = new WeakMap<BridgeParts, Funnel>();

/** The funnel of a bridge. */
export function funnelOf(parts: BridgeParts): Funnel {
  let funnel = funnels.get(parts);
  if (funnel === undefined) funnels.set(parts, funnel = new Funnel(parts));
  return funnel;
}

function markOf(grant: Issued): readonly string[] {
  return ["first_use", grant.id];
}
