import { MessageScanner } from "../stdio/message.ts";
import type { Peek } from "./peek.ts";

/**
 * What a body says that is too large to be held, or comes without a length: read as it passes, so that a failure can
 * name the request that it is about. What no JSON-RPC is says nothing.
 */
export class PassingPeek {
  readonly #scanner = new MessageScanner();
  #peek: Peek | undefined;

  /** The next piece of the body, before it goes on. */
  push(piece: Uint8Array): void {
    if (this.#peek === undefined) this.#scanner.push(piece);
  }

  /** What was said until now; nothing more is read afterwards. */
  get(): Peek {
    if (this.#peek === undefined) {
      const { batch, heads } = this.#scanner.end();
      const head = batch ? undefined : heads[0];
      const id = head?.id === "null" ? undefined : head?.id;
      this.#peek = { method: head?.method, id, tools: [], calls: 0, batch };
    }
    return this.#peek;
  }
}
