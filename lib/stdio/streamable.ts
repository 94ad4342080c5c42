/**
 * The conversation with a streamable HTTP upstream.
 *
 *     send(message) -> modern (2026-07-28)?  one POST, nothing to remember
 *                   `-> its turn -> POST in the session -> lost (404)? -> recover() once for all -> POST again
 *     recover()     -> the host's own initialize and initialized again -> own stream -> log level, subscriptions
 */
import { describeError } from "../base/errors.ts";
import { discard, headerOf } from "../upstream/upstream.ts";
import { httpError, type Incoming } from "./answer.ts";
import { joinBytes } from "../base/join_bytes.ts";
import type { Outgoing, Waiting } from "./exchange.ts";
import { isResponse } from "./head.ts";
import { isModern } from "./modern.ts";
import type { ModernUpstream } from "./modern_upstream.ts";
import { type Delivery, endSession, listen, post, readAnswer, type RemoteParts } from "./remote.ts";
import { retrying } from "./retrying.ts";
import { codes, Unanswered } from "./rpc_error.ts";
import { isSessionLost } from "./session_lost.ts";
import type { Upstream, UpstreamHost } from "./upstream.ts";

/** How long later messages wait for a notification to be taken; keeps what the host says in order. */
const notificationTurnMs = 1_000;
const handshakeTurnMs = 30_000;
const initializedMessage: Outgoing = {
  bytes: new TextEncoder().encode('{"jsonrpc":"2.0","method":"notifications/initialized"}'),
  batch: false,
  heads: [{ method: "notifications/initialized" }],
};

/** An upstream at one URL that answers each POST. */
export class StreamableUpstream implements Upstream {
  readonly #parts: RemoteParts;
  readonly #host: UpstreamHost;
  /** Until what was said before has been taken; absent when it has. */
  #turn: Promise<unknown> | undefined;
  #recovering: Promise<void> | undefined;
  #modernUpstream: Promise<ModernUpstream> | undefined;
  #listening: AbortController | undefined;
  #closed = false;

  constructor(parts: RemoteParts, host: UpstreamHost) {
    this.#parts = parts;
    this.#host = host;
  }

  async send(message: Outgoing, own: readonly Waiting[], signal: AbortSignal): Promise<void> {
    const delivery: Delivery = {
      receive: (incoming) => this.#host.receive(incoming, own),
      isDone: () => own.every((waiting) => waiting.answered),
      signal,
    };
    if (isModern(message.heads[0])) return await (await this.#modern).send(message, own, delivery);
    this.#parts.session.remember(message);
    const method = message.heads[0]?.method;
    const before = this.#turn;
    const once = () =>
      method === "initialize" ? this.#initialize(message, delivery) : this.#inSession(message, delivery);
    const send = () => retrying(this.#parts.clock, message, signal, once);
    const sent = before === undefined ? send() : before.then(send);
    if (method === "initialize" || method === "notifications/initialized") {
      this.#takeTurn(handshakeTurnMs, sent);
    } else if (own.length === 0 && method !== "notifications/cancelled") {
      this.#takeTurn(notificationTurnMs, Promise.all([before, sent]));
    }
    await sent;
    if (method === "notifications/initialized") this.#listen();
  }

  /** Loaded when the host speaks that revision. */
  get #modern(): Promise<ModernUpstream> {
    return this.#modernUpstream ??= import("./modern_upstream.ts").then(({ ModernUpstream }) =>
      new ModernUpstream(this.#parts)
    );
  }

  wake(): void {
    if (this.#listening !== undefined) this.#listen();
  }

  async close(signal: AbortSignal): Promise<void> {
    this.#closed = true;
    this.#listening?.abort();
    await endSession(this.#parts, signal);
  }

  #takeTurn(ms: number, what: Promise<unknown>): void {
    const turn = this.#turn = this.#atMost(ms, what).then(() => {
      if (this.#turn === turn) this.#turn = undefined;
    });
  }

  async #atMost(ms: number, what: Promise<unknown>): Promise<void> {
    const enough = new AbortController();
    const limit = this.#parts.clock.sleep(ms, enough.signal).catch(() => {});
    await Promise.race([what.catch(() => {}), limit]);
    enough.abort();
  }

  async #initialize(message: Outgoing, delivery: Delivery): Promise<void> {
    const { session } = this.#parts;
    const response = await post(this.#parts, message, delivery.signal);
    await readAnswer(this.#parts, response, {
      ...delivery,
      receive: (incoming) => {
        if (!incoming.batch && isResponse(incoming.heads[0] ?? {}) && incoming.heads[0]?.hasResult) {
          session.begin(headerOf(response.headers, "mcp-session-id"), negotiatedVersion(incoming));
        }
        return delivery.receive(incoming);
      },
    });
  }

  async #inSession(message: Outgoing, delivery: Delivery): Promise<void> {
    const { session } = this.#parts;
    for (let attempt = 0;; attempt++) {
      if (this.#recovering !== undefined) await this.#recovering;
      const { generation, id } = session;
      const response = await post(this.#parts, message, delivery.signal);
      const { lost, answer } = id === undefined || response.status < 400
        ? { lost: false, answer: response }
        : await isSessionLost(response);
      if (!lost || session.initialize === undefined) return await readAnswer(this.#parts, answer, delivery);
      if (attempt > 0) throw await httpError(answer);
      await discard(answer);
      await this.#recover(generation);
    }
  }

  /** One new session for all who found the old one gone. */
  #recover(lostGeneration: number): Promise<void> {
    if (this.#parts.session.generation !== lostGeneration) return this.#recovering ?? Promise.resolve();
    return this.#recovering ??= this.#begin().finally(() => this.#recovering = undefined);
  }

  async #begin(): Promise<void> {
    const { session, log } = this.#parts;
    const { initialize, initialized, logLevel } = session;
    if (initialize === undefined) return;
    log.info("session_lost", { reason: "the upstream does not know the session any more" });
    let failure: string | undefined = "no answer";
    const response = await post(this.#parts, initialize, this.#parts.signal);
    await readAnswer(
      this.#parts,
      response,
      this.#inner((answer) => {
        if (!answer.heads[0]?.hasResult) return failure = "an error";
        failure = undefined;
        session.begin(headerOf(response.headers, "mcp-session-id"), negotiatedVersion(answer));
      }),
    );
    if (failure !== undefined) {
      throw new Unanswered(
        codes.badAnswer,
        `The upstream lost the session and gave ${failure} to a new one`,
        {
          hint: "Restart the connection in the client",
        },
      );
    }
    await this.#again(initialized ?? initializedMessage);
    if (initialized !== undefined) this.#listen();
    for (const message of [logLevel, ...session.subscriptions.values()]) {
      if (message !== undefined) await this.#again(message);
    }
    log.info("session_renewed", { count: session.subscriptions.size });
  }

  /** Says something again; the answer is for us. */
  async #again(message: Outgoing): Promise<void> {
    try {
      await readAnswer(
        this.#parts,
        await post(this.#parts, message, this.#parts.signal),
        this.#inner(() => {}),
      );
    } catch (error) {
      this.#parts.log.warn("session_repeat_failed", {
        rpcMethod: message.heads[0]?.method ?? "",
        cause: describeError(error),
      });
    }
  }

  #inner(take: (answer: Incoming) => void): Delivery {
    let done = false;
    return {
      signal: this.#parts.signal,
      isDone: () => done,
      receive: async (incoming) => {
        if (!isResponse(incoming.heads[0] ?? {})) return await this.#host.receive(incoming, []);
        done = true;
        take(incoming);
      },
    };
  }

  #listen(): void {
    this.#listening?.abort();
    if (this.#closed) return;
    const listening = this.#listening = new AbortController();
    const signal = AbortSignal.any([listening.signal, this.#parts.signal]);
    const { generation } = this.#parts.session;
    listen(this.#parts, (incoming) => this.#host.receive(incoming, []), signal).then(async (end) => {
      // The host hears of changes again without having to ask for something first.
      if (end === "session_lost") await this.#recover(generation);
    }).catch((error) => this.#parts.log.debug("stream_ended", { cause: describeError(error) }));
  }
}

function negotiatedVersion(answer: Incoming): string | undefined {
  const version = JSON.parse(new TextDecoder().decode(joinBytes(answer.parts))).result?.protocolVersion;
  return typeof version === "string" ? version : undefined;
}
