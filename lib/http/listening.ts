/** What every listener is asked for and can do. */
import type { Incoming } from "./incoming.ts";
import type { Reply } from "./reply.ts";

/** Where and how to listen. */
export interface ListenOptions {
  readonly hostname: string;
  readonly port: number;
  readonly reusePort?: boolean;
  /** How long a plain connection may wait; the runtime's server, for TLS, knows no such limits. */
  readonly limits?: Partial<ConnectionLimits>;
}

/** How long a plain connection may wait, in milliseconds. */
export interface ConnectionLimits {
  /** For all of a head, from its first byte or the connection's beginning; and for a body that nobody reads. */
  readonly headMs: number;
  /** For the next request; and for the client to take anything of an answer that waits for it. */
  readonly idleMs: number;
  /** For the client to read the last answer, while what it still sends is thrown away. */
  readonly lingerMs: number;
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
