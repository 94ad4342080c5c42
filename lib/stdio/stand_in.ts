/**
 * While a login is under way the upstream is stood in for:
 *
 *     initialize | server/discover -> the last known answer, or one of our own
 *     tools/list -> one tool, login; other lists: empty; calls: an error that says what to do
 *     logged in -> introduced to the upstream -> initialized -> list_changed -> over
 */
import type { Clock } from "../base/clock.ts";
import { describeError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Credentials } from "./credentials.ts";
import type { Outgoing, Waiting } from "./exchange.ts";
import type { LastAnswers } from "./last_answers.ts";
import { following } from "./limit.ts";
import { scanMessage } from "./message.ts";
import { codes, Unanswered } from "./rpc_error.ts";
import { introduction, loginText, standInResult } from "./stand_in_answers.ts";
import type { Upstream, UpstreamHost } from "./upstream.ts";

/** What a stand-in needs. */
export interface StandInParts {
  readonly host: UpstreamHost;
  /** Who is stood in for. */
  readonly upstream: Upstream;
  readonly credentials: Credentials;
  readonly answers: LastAnswers;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const encoder = new TextEncoder();
const maxPauseMs = 30_000;
/** How long a login may take until it has an address to show. */
const newLoginMs = 5_000;

/** Answers in the upstream's place. */
export class StandIn {
  /** The upstream has answered `first`, well or not. */
  introduced = false;
  readonly #parts: StandInParts;
  readonly #introduction: Record<string, unknown>;
  readonly #over = Promise.withResolvers<void>();

  /** `first` is the host's introduction, `known` how the upstream answered it last time. */
  constructor(parts: StandInParts, readonly first: Outgoing, known: Record<string, unknown> | undefined) {
    this.#parts = parts;
    this.#introduction = introduction(first, known);
  }

  /** Answers the introduction; `arrived` ends with its way to the upstream, `onOver` is called when that answers. */
  async begin(own: readonly Waiting[], arrived: Promise<void>, onOver: () => void): Promise<void> {
    const { log } = this.#parts;
    log.info("answered_early", {
      reason: "the login is not finished",
      rpcMethod: this.first.heads[0]?.method ?? "",
    });
    await this.#reply(own, this.#introduction);
    this.#end(arrived, onOver).catch((error) =>
      log.debug("early_answer_ended", { cause: describeError(error) })
    );
  }

  /** Introduces the host to the upstream as soon as that is possible, then steps aside. */
  async #end(arrived: Promise<void>, onOver: () => void): Promise<void> {
    const { credentials, clock, signal, log } = this.#parts;
    for (let pauseMs = 1_000;; pauseMs = Math.min(pauseMs * 2, maxPauseMs)) {
      await arrived.catch((error) => log.debug("not_introduced", { cause: describeError(error) }));
      if (this.introduced) break;
      if (credentials.status().state === "ready") await clock.sleep(pauseMs, signal);
      while (credentials.status().state !== "ready") await credentials.changed(signal);
      arrived = this.#parts.upstream.send(this.first, [], signal);
    }
    onOver();
    log.info("login_finished", {});
    this.#over.resolve();
    // Those who waited go first: they include the host's `initialized`.
    await clock.sleep(0, signal);
    if (this.first.heads[0]?.method === "initialize") {
      await this.#announce(this.#introduction.capabilities as Record<string, unknown>);
    }
  }

  async #announce(capabilities: Record<string, unknown>, meta?: unknown): Promise<void> {
    for (const list of ["tools", "prompts", "resources"]) {
      if (capabilities[list] === undefined) continue;
      const params = meta === undefined ? undefined : { _meta: meta };
      await this.#say({ jsonrpc: "2.0", method: `notifications/${list}/list_changed`, params });
    }
  }

  /** What the host says meanwhile. @throws Unanswered for what only the upstream can answer */
  async send(
    message: Outgoing,
    own: readonly Waiting[],
    signal: AbortSignal,
  ): Promise<void> {
    const { credentials, answers } = this.#parts;
    const head = message.heads[0];
    if (own.length === 0) {
      if (head?.method !== "notifications/initialized") return;
      await this.#untilOver(signal);
      return await this.#parts.upstream.send(message, own, signal);
    }
    if (head?.method === "tools/call" && head.name === "login") await this.#untilAddress(signal);
    const status = credentials.status();
    if (!message.batch) {
      if (head?.method === "initialize" || head?.method === "server/discover") {
        return await this.#reply(own, introduction(message, await answers.get(head.method)));
      }
      if (head?.method === "subscriptions/listen") {
        return await this.#subscribe(message, own, signal);
      }
      const result = standInResult(message, status);
      if (result !== undefined) await this.#reply(own, result);
      if (result !== undefined && head?.method !== "logging/setLevel") return;
      if (result !== undefined) {
        await this.#untilOver(signal);
        return await this.#parts.upstream.send(message, own, signal);
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
    await this.#untilOver(signal);
    const wanted = params?.notifications?.toolsListChanged === true ? { tools: {} } : {};
    await this.#announce(wanted, _meta);
    await this.#parts.upstream.send(message, own, signal);
  }

  #untilOver(signal: AbortSignal): Promise<void> {
    return following(signal, (own) =>
      new Promise((resolve, reject) => {
        own.signal.addEventListener("abort", () => reject(own.signal.reason), { once: true });
        this.#over.promise.then(resolve);
      }));
  }

  async #reply(own: readonly Waiting[], result: unknown): Promise<void> {
    for (const { id } of own) {
      const bytes = encoder.encode(`{"jsonrpc":"2.0","id":${id},"result":${JSON.stringify(result)}}`);
      await this.#parts.host.receive({ parts: [bytes], ...scanMessage(bytes) }, own);
    }
  }

  async #say(message: unknown): Promise<void> {
    const bytes = encoder.encode(JSON.stringify(message));
    await this.#parts.host.receive({ parts: [bytes], ...scanMessage(bytes) }, []);
  }
}
