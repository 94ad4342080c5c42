/**
 * Requests that wait for the upstream's headers. Listening to every client's disconnect costs more than the rest of a
 * quick call, so that a request gets its listener only once it has waited for a moment.
 */
import { Watch, type Watched } from "../base/watch.ts";
import { UpstreamError } from "./upstream.ts";

/** A client that leaves is noticed within twice this time, in milliseconds. */
const lookEveryMs = 200;

/** The requests of one upstream that wait. */
export class WaitingRoom {
  readonly #watch = new Watch<Waiting>(lookEveryMs);

  /** `limitMs` is the time until the first byte; 0: no limit. */
  constructor(private readonly limitMs: number) {}

  /** Registers a request; `cancel` is called with an `UpstreamError`. */
  enter(cancel: (reason: Error) => void, clientGone: () => AbortSignal): Waiting {
    const waiting = new Waiting(cancel, clientGone, this.limitMs);
    this.#watch.enter(waiting);
    return waiting;
  }

  /** The headers are there, or never will be. */
  leave(waiting: Waiting): void {
    waiting.over = true;
    this.#watch.leave(waiting);
  }

  /** Whoever still waits is aborted. */
  close(): void {
    const left = [...this.#watch.inside];
    this.#watch.close();
    for (const { cancel } of left) cancel(new UpstreamError("broken", "the upstream is being closed"));
  }
}

/** One request that waits. */
export class Waiting implements Watched {
  over = false;
  #observed = false;

  constructor(
    readonly cancel: (reason: Error) => void,
    private readonly clientGone: () => AbortSignal,
    private readonly limitMs: number,
  ) {}

  look(ageMs: number): void {
    if (this.limitMs > 0 && ageMs >= this.limitMs) {
      this.cancel(new UpstreamError("timeout", `no answer within ${this.limitMs} ms`));
    } else if (!this.#observed) this.#observe();
  }

  #observe(): void {
    this.#observed = true;
    const gone = this.clientGone();
    // The runtime fires this signal after an answer as well; by then nobody waits.
    const leave = () => {
      if (!this.over) this.cancel(new UpstreamError("client_gone", "the client left"));
    };
    if (gone.aborted) leave();
    else gone.addEventListener("abort", leave, { once: true });
  }
}
