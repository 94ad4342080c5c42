/**
 * Hosts give up on a server that does not answer soon, and a login may take minutes. So the first request waits for
 * the upstream only so long:
 *
 *     initialize | server/discover -> upstream -> answered in time: nothing else happens
 *          `-> time over -> the last known answer, or one of our own    (the stand-in)
 *                `-> logged in and introduced to the upstream -> straight through
 */
import type { Clock } from "../base/clock.ts";
import { joinBytes } from "../base/join_bytes.ts";
import type { Logger } from "../base/log.ts";
import type { Incoming } from "./answer.ts";
import type { Credentials } from "./credentials.ts";
import { idKey, type Outgoing, type Waiting } from "./exchange.ts";
import { isResponse } from "./head.ts";
import type { LastAnswers } from "./last_answers.ts";
import { following } from "./limit.ts";
import type { StandIn } from "./stand_in.ts";
import type { Upstream, UpstreamHost } from "./upstream.ts";

/** What an early answer needs. */
export interface EarlyAnswerParts {
  readonly credentials: Credentials;
  readonly answers: LastAnswers;
  readonly clock: Clock;
  readonly log: Logger;
  /** How long the first request waits for the upstream; milliseconds, 0: for ever. */
  readonly firstAnswerTimeoutMs: number;
  readonly signal: AbortSignal;
}

/** An upstream that is introduced to the host in time, whatever the login takes. */
export class EarlyAnswer implements Upstream, UpstreamHost {
  readonly #parts: EarlyAnswerParts;
  readonly #host: UpstreamHost;
  readonly #inner: Upstream;
  #standIn: StandIn | undefined;

  constructor(parts: EarlyAnswerParts, host: UpstreamHost, connect: (host: UpstreamHost) => Upstream) {
    this.#parts = parts;
    this.#host = host;
    this.#inner = connect(this);
  }

  send(message: Outgoing, own: readonly Waiting[], signal: AbortSignal): Promise<void> {
    const method = message.heads[0]?.method;
    const introduces = !message.batch && (method === "initialize" || method === "server/discover");
    if (this.#standIn !== undefined) return this.#standIn.send(message, own, signal);
    if (!introduces || this.#parts.firstAnswerTimeoutMs === 0) return this.#inner.send(message, own, signal);
    return this.#introduce(message, own, signal);
  }

  async #introduce(message: Outgoing, own: readonly Waiting[], signal: AbortSignal): Promise<void> {
    const arrived = this.#inner.send(message, own, signal);
    const late = await following(signal, async (limit) => {
      const over = this.#parts.clock.sleep(this.#parts.firstAnswerTimeoutMs, limit.signal).then(
        () => true,
        () => false,
      );
      const isLate = await Promise.race([arrived.then(() => false), over]);
      limit.abort();
      return isLate;
    });
    if (!late || own.every(({ answered }) => answered)) return await arrived;
    await this.#begin(message, own, arrived);
  }

  receive(incoming: Incoming, own: readonly Waiting[]): Promise<void> {
    return this.#isOurs(incoming, own) ? Promise.resolve() : this.#host.receive(incoming, own);
  }

  /** Learns from what passes; true for an answer to our own introduction. */
  #isOurs(incoming: Incoming, own: readonly Waiting[]): boolean {
    const head = incoming.heads[0];
    const standIn = this.#standIn;
    if (head !== undefined && !incoming.batch && isResponse(head)) {
      const first = standIn?.first.heads[0];
      if (standIn !== undefined && head.id !== undefined && idKey(head.id) === idKey(first?.id ?? "null")) {
        // Refused is introduced as well: what the host asks now is the upstream's to answer.
        standIn.introduced = true;
        if (head.hasResult) this.#learn(first?.method, incoming);
        else this.#parts.log.warn("introduction_refused", { code: head.errorCode ?? "" });
        return true;
      }
      const asked = own[0]?.head.method;
      if (head.hasResult && (asked === "initialize" || asked === "server/discover")) {
        this.#learn(asked, incoming);
      }
    }
    return false;
  }

  wake(): void {
    this.#inner.wake();
  }

  close(signal: AbortSignal): Promise<void> {
    return this.#inner.close(signal);
  }

  #learn(method: string | undefined, incoming: Incoming): void {
    const { result } = JSON.parse(new TextDecoder().decode(joinBytes(incoming.parts)));
    if (method !== undefined) this.#parts.answers.put(method, result);
  }

  async #begin(message: Outgoing, own: readonly Waiting[], arrived: Promise<void>): Promise<void> {
    // Most starts need none of it.
    const { StandIn } = await import("./stand_in.ts");
    const parts = { ...this.#parts, host: this.#host, upstream: this.#inner };
    const known = await this.#parts.answers.get(message.heads[0]?.method ?? "");
    // The upstream may have been quicker after all.
    if (own.every(({ answered }) => answered)) return await arrived;
    this.#standIn = new StandIn(parts, message, known);
    await this.#standIn.begin(own, arrived, () => this.#standIn = undefined);
  }
}
