/**
 * Revision 2026-07-28 over HTTP: no session, every request is a POST of its own.
 *
 *     tools/list            -> the answer teaches which arguments go into headers; broken tools are left out
 *     tools/call            -> Mcp-Param-… headers -> -32020 (they do not fit)? -> tools/list -> once more
 *     subscriptions/listen  -> cut off? -> said again with the same id, until it is answered or cancelled
 *     anything else         -> cut off? -> an error, unless it only reads
 */
import { joinBytes } from "../base/join_bytes.ts";
import type { Outgoing, Waiting } from "./exchange.ts";
import { isResponse } from "./head.ts";
import { scanMessage } from "./message.ts";
import { paramHeaderValues } from "./param_headers.ts";
import { type Delivery, post, readAnswer, type RemoteParts } from "./remote.ts";
import { renewing } from "./renewed_stream.ts";
import { retrying } from "./retrying.ts";
import { Unanswered } from "./rpc_error.ts";
import { ToolSchemas } from "./tool_schemas.ts";

const headerMismatch = "-32020";
const minPauseMs = 500;
const maxPauseMs = 30_000;
/** A server that lists its tools page after page for ever is not read to the end. */
const maxPages = 50;
const decoder = new TextDecoder();

/** Requests of the stateless revision. */
export class ModernUpstream {
  readonly #parts: RemoteParts;
  readonly #tools: ToolSchemas;
  #refreshing: Promise<void> | undefined;
  #refreshes = 0;

  constructor(parts: RemoteParts) {
    this.#parts = parts;
    this.#tools = new ToolSchemas(parts.log);
  }

  /** Sends one message and reads what comes back until nothing more will. @throws Unanswered */
  async send(message: Outgoing, own: readonly Waiting[], delivery: Delivery): Promise<void> {
    const [first] = own;
    switch (message.heads[0]?.method) {
      case "tools/list":
        if (first !== undefined) this.#watch(first);
        break;
      case "tools/call":
        return await retrying(
          this.#parts.clock,
          message,
          delivery.signal,
          () => this.#call(message, delivery),
        );
      case "subscriptions/listen":
        return await this.#subscribe(message, delivery);
    }
    await retrying(this.#parts.clock, message, delivery.signal, () => this.#once(message, delivery));
  }

  #watch(waiting: Waiting): void {
    const then = waiting.onAnswer;
    waiting.onAnswer = (parts, head) => {
      const taken = head.hasResult ? this.#tools.take(parts) : parts;
      return then?.(taken, head) ?? taken;
    };
  }

  async #once(message: Outgoing, delivery: Delivery, headers: [string, string][] = []): Promise<void> {
    await readAnswer(this.#parts, await post(this.#parts, message, delivery.signal, headers), {
      ...delivery,
      resumable: false,
    });
  }

  async #call(message: Outgoing, delivery: Delivery): Promise<void> {
    let mismatch = false;
    const before = this.#paramHeaders(message);
    await this.#once(message, {
      ...delivery,
      receive: async (incoming) => {
        const head = incoming.heads[0] ?? {};
        mismatch = isResponse(head) && head.errorCode === headerMismatch;
        if (!mismatch) await delivery.receive(incoming);
      },
      isDone: () => mismatch || delivery.isDone(),
    }, before);
    if (!mismatch) return;
    await this.#refresh(message, delivery.signal);
    await this.#once(message, delivery, this.#paramHeaders(message));
  }

  #paramHeaders(message: Outgoing): [string, string][] {
    const headers = this.#tools.headersOf(message.heads[0]?.name ?? "");
    if (headers.length === 0) return [];
    return paramHeaderValues(headers, JSON.parse(decoder.decode(message.bytes)).params?.arguments);
  }

  /** Reads the list of tools again, once for all calls that found their headers wrong. */
  #refresh(like: Outgoing, signal: AbortSignal): Promise<void> {
    return this.#refreshing ??= this.#readTools(like, signal).finally(() => this.#refreshing = undefined);
  }

  async #readTools(like: Outgoing, signal: AbortSignal): Promise<void> {
    const _meta = JSON.parse(decoder.decode(like.bytes)).params?._meta;
    let cursor: unknown;
    for (let page = 0; page < maxPages; page++) {
      const id = `mcp-doorman-tools-${++this.#refreshes}`;
      const params = cursor === undefined ? { _meta } : { _meta, cursor };
      const bytes = new TextEncoder().encode(
        JSON.stringify({ jsonrpc: "2.0", id, method: "tools/list", params }),
      );
      const message = { bytes, batch: false, heads: scanMessage(bytes).heads };
      let answer: { readonly result?: { readonly nextCursor?: unknown } } | undefined;
      const receive: Delivery["receive"] = (incoming) => {
        if (isResponse(incoming.heads[0] ?? {})) {
          this.#tools.take(incoming.parts);
          answer = JSON.parse(decoder.decode(joinBytes(incoming.parts)));
        }
        return Promise.resolve();
      };
      await this.#once(message, { receive, isDone: () => answer !== undefined, signal });
      cursor = answer?.result?.nextCursor;
      if (cursor === undefined) return;
    }
  }

  async #subscribe(message: Outgoing, delivery: Delivery): Promise<void> {
    const { clock, log } = this.#parts;
    const watchdog = renewing(clock);
    let pauseMs = minPauseMs;
    for (let attempt = 0; !delivery.isDone(); attempt++) {
      try {
        await this.#once(message, {
          ...delivery,
          watchdog,
          receive: async (incoming) => {
            pauseMs = minPauseMs;
            // The host has been told that its subscription stands.
            const again = attempt > 0 &&
              incoming.heads[0]?.method === "notifications/subscriptions/acknowledged";
            if (!again) await delivery.receive(incoming);
          },
        });
      } catch (error) {
        const refused = error instanceof Unanswered && error.httpStatus !== undefined &&
          error.httpStatus < 500;
        if (delivery.signal.aborted || refused) throw error;
        log.debug("subscription_broken", { cause: error instanceof Error ? error.message : String(error) });
      }
      if (delivery.isDone()) return;
      await clock.sleep(pauseMs, delivery.signal);
      pauseMs = Math.min(pauseMs * 2, maxPauseMs);
    }
  }
}
