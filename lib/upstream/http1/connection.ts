/**
 * One connection to the upstream. A read is always pending, also while it is idle: so a connection that the upstream
 * closes is known to be dead before it is used again, and bytes that nobody asked for end it instead of becoming
 * somebody's answer.
 */
import type { Member } from "../../base/crowd.ts";
import { headEnd, maxHeadBytes } from "../../base/http1/fields.ts";
import { Wire } from "../../base/http1/wire.ts";
import { broken, type Head, parseHead } from "./head.ts";

/** A wire that answers come on. */
export class Connection extends Wire implements Member {
  at?: number;
  /** When it became idle, and how long the upstream said to keep it; milliseconds. */
  idleSinceMs = 0;
  idleMs: number | undefined;
  #watched = false;

  /** Watches the idle connection; `onEnd` is called when it cannot be used any more. */
  idle(onEnd: () => void): void {
    this.clear();
    this.#watched = true;
    const ended = () => {
      if (!this.#watched) return;
      this.dead = true;
      onEnd();
    };
    this.fill().then(ended, ended);
  }

  /** The connection is used again: what comes from now on is an answer. */
  begin(): void {
    this.#watched = false;
  }

  /** The next response's head, past interim ones; `undefined` when more bytes are needed. */
  head(method: string): Head | undefined {
    for (;;) {
      const end = headEnd(this.buffer, this.start, this.end);
      if ((end >= 0 ? end : this.end) - this.start > maxHeadBytes) throw broken("a head that does not end");
      if (end < 0) return undefined;
      const head = parseHead(this.buffer.subarray(this.start, end), method);
      this.start = end;
      if (head.status >= 200) return head;
      if (head.status === 101) throw broken("a switch of protocols");
    }
  }
}
