/**
 * One MCP session and its child. What the child says has no address; it goes
 *
 *     an answer               -> to the POST that asked
 *     progress                -> to the POST whose token it names
 *     a request of the child  -> to the newest POST that waits, else to the GET stream
 *     anything else           -> to the GET stream, else to the newest POST that waits
 *     nobody there            -> kept for the next stream, up to a limit
 */
import type { Logger } from "../../base/log.ts";
import { type ChildOptions, StdioChild } from "./child.ts";
import { EventSink } from "./event_sink.ts";
import { type Heard, readMessages } from "./message.ts";

const maxKept = 100;
const goneText = "The MCP server behind this address has ended";

/** A POST that waits for answers. */
interface Asking {
  readonly waiting: Set<string>;
  readonly tokens: readonly string[];
  readonly sink: EventSink;
}

/** A session is over when its child is. */
export class ChildSession {
  readonly #child: StdioChild;
  readonly #asking = new Set<Asking>();
  readonly #kept: string[] = [];
  #standing: EventSink | undefined;
  readonly ended: Promise<void>;

  /** @throws UpstreamError when the command cannot be started */
  constructor(options: ChildOptions, private readonly log: Logger) {
    this.#child = new StdioChild(options, (line) => this.#hear(line));
    this.ended = this.#child.ended.then(() => this.#fail());
  }

  /** Nobody waits for anything. */
  get idle(): boolean {
    return this.#asking.size === 0 && this.#standing === undefined;
  }

  /** Whether a request of that id is under way. */
  isAsking(id: string): boolean {
    return [...this.#asking].some(({ waiting }) => waiting.has(id));
  }

  /** Sends requests; their answers, and what belongs to them, come on the stream. @throws UpstreamError */
  async ask(line: string, requests: readonly Heard[]): Promise<ReadableStream<Uint8Array>> {
    const ids = requests.map(({ id }) => id).filter((id) => id !== undefined);
    const tokens = requests.map(({ progressToken }) => progressToken).filter((token) => token !== undefined);
    const asking: Asking = {
      waiting: new Set(ids),
      tokens,
      sink: new EventSink(() => this.#asking.delete(asking)),
    };
    this.#asking.add(asking);
    try {
      await this.#child.send(line);
    } catch (error) {
      asking.sink.close();
      throw error;
    }
    return asking.sink.body;
  }

  /** Sends what has no answer. @throws UpstreamError */
  tell(line: string): Promise<void> {
    return this.#child.send(line);
  }

  /** The stream for what belongs to no request; an earlier one is closed. */
  listen(): ReadableStream<Uint8Array> {
    this.#standing?.close();
    const sink: EventSink = new EventSink(() => {
      if (this.#standing === sink) this.#standing = undefined;
    });
    this.#standing = sink;
    for (const message of this.#kept.splice(0)) void sink.push(message);
    return sink.body;
  }

  /** Ends the session. */
  async end(): Promise<void> {
    await this.#child.end();
  }

  #hear(line: string): void | Promise<void> {
    const messages = readMessages(line);
    if (messages === undefined) {
      this.log.warn("upstream_output_unusable", { reason: "a line of the child is no message" });
      return;
    }
    const [first] = messages;
    if (first === undefined) return;
    if (first.method === undefined) return this.#answer(line, messages);
    const asked = first.progressToken === undefined || first.method !== "notifications/progress"
      ? undefined
      : [...this.#asking].find(({ tokens }) => tokens.includes(first.progressToken ?? ""));
    const newest = [...this.#asking].at(-1);
    const isRequest = first.id !== undefined;
    const sink = asked?.sink ?? (isRequest ? newest?.sink ?? this.#standing : this.#standing ?? newest?.sink);
    if (sink !== undefined) return sink.push(line);
    if (this.#kept.length < maxKept) this.#kept.push(line);
    else this.log.debug("upstream_message_dropped", { rpcMethod: first.method });
  }

  #answer(line: string, messages: readonly Heard[]): void | Promise<void> {
    const asking = [...this.#asking].find(({ waiting }) => messages.some(({ id }) => waiting.has(id ?? "")));
    if (asking === undefined) {
      this.log.debug("upstream_message_dropped", { reason: "nobody waits for this answer" });
      return;
    }
    const pushed = asking.sink.push(line);
    for (const { id } of messages) asking.waiting.delete(id ?? "");
    if (asking.waiting.size === 0) asking.sink.close();
    return pushed;
  }

  /** The child is gone: whoever waits is told so. */
  #fail(): void {
    for (const { waiting, sink } of [...this.#asking]) {
      for (const id of waiting) {
        void sink.push(
          `{"jsonrpc":"2.0","id":${id},"error":{"code":-32000,"message":${JSON.stringify(goneText)}}}`,
        );
      }
      sink.close();
    }
    this.#standing?.close();
  }
}
