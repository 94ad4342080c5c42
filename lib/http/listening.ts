/** What every listener is asked for and can do. */
import type { Incoming } from "./incoming.ts";
import type { Reply } from "./reply.ts";

/** Where and how to listen. */
export interface ListenOptions {
  readonly hostname: string;
  readonly port: number;
  readonly reusePort?: boolean;
}

/** A listener that is up. */
export interface Listening {
  readonly hostname: string;
  readonly port: number;
  /**
   * Closes the listener and lets running requests finish, at most until the deadline; says whether some are left then,
   * which end with the process.
   */
  drain(options: DrainOptions): Promise<boolean>;
}

/** How a listener ends. */
export interface DrainOptions {
  readonly deadlineMs: number;
  readonly onClosed?: () => void;
  /**
   * Requests whose answer is not complete. The runtime's server also waits for clients that have not sent all of a
   * request, whatever was answered; nobody else does, so that one of them cannot hold up a restart.
   */
  readonly inFlight?: () => number;
}

/** The handler of one listener; `peer` is the address of the other side. */
export type ServeHandler = (request: Incoming, peer: string) => Promise<Reply | Response>;
