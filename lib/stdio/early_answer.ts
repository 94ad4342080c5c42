/**
 * Hosts give up on a server that does not answer soon, and a login may take minutes. So the first request waits for
 * the upstream only so long:
 *
 *     initialize | server/discover -> upstream -> answered in time: nothing else happens
 *          `-> time over -> the last known answer, or one of our own    (the stand-in)
 *                |-> tools/list: one tool, login; other lists: empty; calls: an error that says what to do
 *                `-> logged in and introduced to the upstream -> initialized -> list_changed -> straight through
 */
import type { Clock } from "../base/clock.ts";
import { describeError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Incoming } from "./answer.ts";
import { joinBytes } from "../base/join_bytes.ts";
import type { Credentials } from "./credentials.ts";
import { idKey, type Outgoing, type Waiting } from "./exchange.ts";
import { isResponse } from "./head.ts";
import type { LastAnswers } from "./last_answers.ts";
import { following } from "./limit.ts";
import { scanMessage } from "./message.ts";
import { codes, Unanswered } from "./rpc_error.ts";
import { introduction, loginText, standInResult } from "./stand_in.ts";
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

/** While the upstream is stood in for. */
interface StandIn {
  readonly first: Outgoing;
  readonly capabilities: Record<string, unknown>;
  introduced: boolean;
  /** Resolves when the upstream speaks for itself. */
  readonly over: PromiseWithResolvers<void>;
}

const encoder = new TextEncoder();
const maxPauseMs = 30_000;
/** How long a login may take until it has an address to show. */
const newLoginMs = 5_000;

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
    if (this.#standIn !== undefined) return this.#meanwhile(this.#standIn, message, own, signal);
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
    const { answers, log } = this.#parts;
    const known = await answers.get(message.heads[0]?.method ?? "");
    const result = introduction(message, known);
    log.info("answered_early", {
      reason: "the login is not finished",
      rpcMethod: message.heads[0]?.method ?? "",
    });
    const over = Promise.withResolvers<void>();
    const capabilities = result.capabilities as Record<string, unknown>;
    this.#standIn = { first: message, capabilities, introduced: false, over };
    await this.#reply(own, result);
    this.#end(this.#standIn, arrived).catch((error) =>
      log.debug("early_answer_ended", { cause: describeError(error) })
    );
  }

  /** Introduces the host to the upstream as soon as that is possible, then steps aside. */
  async #end(standIn: StandIn, arrived: Promise<void>): Promise<void> {
    const { credentials, clock, signal, log } = this.#parts;
    for (let pauseMs = 1_000;; pauseMs = Math.min(pauseMs * 2, maxPauseMs)) {
      await arrived.catch((error) => log.debug("not_introduced", { cause: describeError(error) }));
      if (standIn.introduced) break;
      if (credentials.status().state === "ready") await clock.sleep(pauseMs, signal);
      while (credentials.status().state !== "ready") await credentials.changed(signal);
      arrived = this.#inner.send(standIn.first, [], signal);
    }
    this.#standIn = undefined;
    log.info("login_finished", {});
    standIn.over.resolve();
    // Those who waited go first: they include the host's `initialized`.
    await clock.sleep(0, signal);
    if (standIn.first.heads[0]?.method === "initialize") await this.#announce(standIn.capabilities);
  }

  async #announce(capabilities: Record<string, unknown>, meta?: unknown): Promise<void> {
    for (const list of ["tools", "prompts", "resources"]) {
      if (capabilities[list] === undefined) continue;
      const params = meta === undefined ? undefined : { _meta: meta };
      await this.#say({ jsonrpc: "2.0", method: `notifications/${list}/list_changed`, params });
    }
  }

  async #meanwhile(
    standIn: StandIn,
    message: Outgoing,
    own: readonly Waiting[],
    signal: AbortSignal,
  ): Promise<void> {
    const { credentials, answers } = this.#parts;
    const head = message.heads[0];
    if (own.length === 0) {
      if (head?.method !== "notifications/initialized") return;
      await this.#over(standIn, signal);
      return await this.#inner.send(message, own, signal);
    }
    if (head?.method === "tools/call" && head.name === "login") await this.#untilAddress(signal);
    const status = credentials.status();
    if (!message.batch) {
      if (head?.method === "initialize" || head?.method === "server/discover") {
        return await this.#reply(own, introduction(message, await answers.get(head.method)));
      }
      if (head?.method === "subscriptions/listen") {
        return await this.#subscribe(standIn, message, own, signal);
      }
      const result = standInResult(message, status);
      if (result !== undefined) await this.#reply(own, result);
      if (result !== undefined && head?.method !== "logging/setLevel") return;
      if (result !== undefined) {
        await this.#over(standIn, signal);
        return await this.#inner.send(message, own, signal);
      }
    }
    throw new Unanswered(codes.noCredentials, "The login at the upstream is not finished", {
      hint: `${loginText(status)} Then try again`,
      neverReached: true,
    });
  }

  /** The login tool waits a little for an address to show; after a failed login it begins another one. */
  async #untilAddress(signal: AbortSignal): Promise<void> {
    const { credentials, clock } = this.#parts;
    await following(signal, async (own) => {
      const enough = clock.sleep(newLoginMs, own.signal).then(() => own.abort(), () => {});
      let isOld = credentials.status().state === "failed";
      if (isOld) credentials.headers(this.#parts.signal).catch(() => {});
      while (!own.signal.aborted && (isOld || credentials.status().state === "working")) {
        await credentials.changed(own.signal).catch(() => {});
        isOld = false;
      }
      own.abort();
      await enough;
    });
  }

  /** Revision 2026-07-28: who listens is confirmed now and told of the tools later. */
  async #subscribe(
    standIn: StandIn,
    message: Outgoing,
    own: readonly Waiting[],
    signal: AbortSignal,
  ): Promise<void> {
    const { id, params } = JSON.parse(new TextDecoder().decode(message.bytes));
    const _meta = { "io.modelcontextprotocol/subscriptionId": id };
    const method = "notifications/subscriptions/acknowledged";
    await this.#say({
      jsonrpc: "2.0",
      method,
      params: { notifications: params?.notifications ?? {}, _meta },
    });
    await this.#over(standIn, signal);
    const wanted = params?.notifications?.toolsListChanged === true ? { tools: {} } : {};
    await this.#announce(wanted, _meta);
    await this.#inner.send(message, own, signal);
  }

  #over(standIn: StandIn, signal: AbortSignal): Promise<void> {
    return following(signal, (own) =>
      new Promise((resolve, reject) => {
        own.signal.addEventListener("abort", () => reject(own.signal.reason), { once: true });
        standIn.over.promise.then(resolve);
      }));
  }

  async #reply(own: readonly Waiting[], result: unknown): Promise<void> {
    for (const { id } of own) {
      const bytes = encoder.encode(`{"jsonrpc":"2.0","id":${id},"result":${JSON.stringify(result)}}`);
      await this.#host.receive({ parts: [bytes], ...scanMessage(bytes) }, own);
    }
  }

  async #say(message: unknown): Promise<void> {
    const bytes = encoder.encode(JSON.stringify(message));
    await this.#host.receive({ parts: [bytes], ...scanMessage(bytes) }, []);
  }
}
