/**
 * Which transport an upstream speaks, found out with the host's first message:
 *
 *     address ends in /sse -> its event stream names an endpoint? -> legacy, else streamable
 *     otherwise            -> streamable; initialize refused with 400, 404 or 405? -> an event stream with an
 *                             endpoint? -> legacy (revision 2025-11-25, "Backwards Compatibility")
 */
import { describeError } from "../base/errors.ts";
import type { Outgoing, Waiting } from "./exchange.ts";
import { isModern } from "./modern.ts";
import type { RemoteParts } from "./remote.ts";
import { Unanswered } from "./rpc_error.ts";
import { StreamableUpstream } from "./streamable.ts";
import type { Upstream, UpstreamHost } from "./upstream.ts";

const refusals = new Set([400, 404, 405]);

/** An upstream of either transport. */
export class AnyUpstream implements Upstream {
  readonly #parts: RemoteParts;
  readonly #host: UpstreamHost;
  readonly #streamable: StreamableUpstream;
  #legacy: Promise<Upstream | undefined> | undefined;
  #isLegacy = false;
  /** The upstream has been found to speak the streamable transport. */
  #isStreamable = false;

  constructor(parts: RemoteParts, host: UpstreamHost) {
    this.#parts = parts;
    this.#host = host;
    this.#streamable = new StreamableUpstream(parts, host);
  }

  send(message: Outgoing, own: readonly Waiting[], signal: AbortSignal): Promise<void> {
    return this.#isStreamable && message.heads[0]?.method !== "initialize"
      ? this.#streamable.send(message, own, signal)
      : this.#find(message, own, signal);
  }

  async #find(message: Outgoing, own: readonly Waiting[], signal: AbortSignal): Promise<void> {
    this.#legacy ??= /\/sse\/?$/.test(this.#parts.url.pathname)
      ? this.#tryLegacy()
      : Promise.resolve(undefined);
    const legacy = await this.#legacy;
    if (legacy !== undefined) return await legacy.send(message, own, signal);
    try {
      await this.#streamable.send(message, own, signal);
      this.#isStreamable = true;
    } catch (error) {
      const refused = error instanceof Unanswered && refusals.has(error.httpStatus ?? 0);
      if (!refused || message.heads[0]?.method !== "initialize" || isModern(message.heads[0])) throw error;
      this.#isStreamable = false;
      this.#legacy = this.#tryLegacy();
      const found = await this.#legacy;
      if (found === undefined) throw error;
      await found.send(message, own, signal);
    }
  }

  wake(): void {
    this.#streamable.wake();
    if (this.#isLegacy) this.#legacy?.then((legacy) => legacy?.wake());
  }

  async close(signal: AbortSignal): Promise<void> {
    if (this.#isLegacy) await (await this.#legacy)?.close(signal);
    else await this.#streamable.close(signal);
  }

  async #tryLegacy(): Promise<Upstream | undefined> {
    const { LegacySseUpstream } = await import("./legacy_sse.ts");
    const legacy = new LegacySseUpstream(this.#parts, this.#host);
    try {
      await legacy.probe(this.#parts.signal);
      this.#isLegacy = true;
      this.#parts.log.info("legacy_transport", { reason: "the upstream speaks HTTP with SSE (2024-11-05)" });
      return legacy;
    } catch (error) {
      this.#parts.log.debug("no_legacy_transport", { cause: describeError(error) });
      return undefined;
    }
  }
}
