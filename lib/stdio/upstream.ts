/** The other side of the pump, whichever way its messages travel. */
import type { Incoming } from "./answer.ts";
import type { Outgoing, Waiting } from "./exchange.ts";

/** What the upstream's messages are given to. */
export interface UpstreamHost {
  /** `own` are the requests of the POST that it came on; none for the upstream's own stream. */
  receive(incoming: Incoming, own: readonly Waiting[]): Promise<void>;
}

/** Where the host's messages go. */
export interface Upstream {
  /**
   * Sends a message and resolves when nothing more comes of it.
   * @throws Unanswered when requests in it stay without an answer
   */
  send(message: Outgoing, own: readonly Waiting[], signal: AbortSignal): Promise<void>;
  /** The machine slept: connections that look open may be dead. */
  wake(): void;
  /** Says good-bye, as long as the signal allows. */
  close(signal: AbortSignal): Promise<void>;
}
