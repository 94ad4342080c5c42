/**
 * The listener and its end.
 *
 *     listen -> serve -> accept loop dies (no file descriptors left) -> listen again
 *            |-> another certificate: a second listener on the same port, then the first one takes no more connections
 *            `-> drain: listener closed -> standing streams ended -> calls finish, or the deadline
 */
import { systemClock } from "../base/clock.ts";
import { UserError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";

/** Certificate chain and key, PEM. */
export interface Tls {
  readonly cert: string;
  readonly key: string;
}

/** Where and how to listen. */
export interface ListenOptions {
  readonly hostname: string;
  readonly port: number;
  readonly tls?: Tls;
  readonly reusePort?: boolean;
}

/** A listener that is up. */
export interface Listening {
  readonly hostname: string;
  readonly port: number;
  /**
   * New connections get this certificate; requests on open ones end with the old one. A connection that is just being
   * set up, or that waits for its next request, is closed, as at any restart.
   * @throws when certificate and key cannot be used; the old ones stay then.
   */
  renew(tls: Tls): void;
  /**
   * Closes the listener and lets running requests finish, at most until the deadline; says whether some are left then,
   * which end with the process: the runtime cannot cut connections once it is shutting down.
   */
  drain(options: DrainOptions): Promise<boolean>;
}

/** How a listener ends. */
export interface DrainOptions {
  readonly deadlineMs: number;
  readonly onClosed?: () => void;
  /**
   * Requests whose answer is not complete. The runtime also waits for clients that have not sent all of a request,
   * whatever was answered; nobody else does, so that one of them cannot hold up a restart.
   */
  readonly inFlight?: () => number;
}

/** The handler of one listener; `peer` is the address of the other side. */
export type ServeHandler = (request: Request, peer: string) => Promise<Response>;

const relistenAfterMs = 200;

/** With nothing in flight for so long, whatever was answered has been sent. */
const quietMs = 3_000;

/** Listens. @throws UserError when the address cannot be had. */
export function listen(options: ListenOptions, handler: ServeHandler, log: Logger): Listening {
  let draining = false;
  let bound = { hostname: options.hostname, port: options.port };
  let tls = options.tls;
  // Listeners that were replaced, until their last request is over.
  const replaced = new Set<Promise<void>>();

  const open = (): Deno.HttpServer<Deno.NetAddr> => {
    const server = Deno.serve({
      ...bound,
      ...(tls ?? {}),
      // So that a second listener can take over with another certificate.
      ...(options.reusePort === true || tls !== undefined ? { reusePort: true } : {}),
      onListen: () => {},
      onError: (error) => {
        log.error("request_failed", { cause: error instanceof Error ? error.message : String(error) });
        return new Response(null, { status: 500 });
      },
    }, (request, info) => handler(request, info.remoteAddr.hostname));
    server.finished.catch((error: unknown) => {
      log.error("listener_failed", { cause: error instanceof Error ? error.message : String(error) });
      reopen();
    });
    return server;
  };

  // At EMFILE the runtime's accept loop ends for good; connections that are open go on being served.
  const reopen = () => {
    if (draining) return;
    setTimeout(() => {
      if (draining) return;
      try {
        server = open();
        log.warn("listener_restarted", { port: bound.port });
      } catch (error) {
        log.error("listener_failed", { cause: error instanceof Error ? error.message : String(error) });
        reopen();
      }
    }, relistenAfterMs);
  };

  let server: Deno.HttpServer<Deno.NetAddr>;
  try {
    server = open();
  } catch (cause) {
    throw listenError(options, cause);
  }
  bound = { hostname: options.hostname, port: server.addr.port };

  return {
    hostname: options.hostname,
    port: bound.port,
    renew(next) {
      const [before, old] = [tls, server];
      tls = next;
      try {
        server = open();
      } catch (error) {
        tls = before;
        throw error;
      }
      const over = old.shutdown();
      replaced.add(over);
      over.finally(() => replaced.delete(over));
    },
    async drain({ deadlineMs, onClosed, inFlight }) {
      draining = true;
      const over = new AbortController();
      const closed = Promise.all([server.shutdown(), ...replaced]).then(() => false);
      onClosed?.();
      const late = systemClock.sleep(deadlineMs, over.signal).then(() => true);
      const quiet = inFlight === undefined ? late : untilQuiet(inFlight, over.signal).then(() => false);
      late.catch(() => {});
      quiet.catch(() => {});
      const left = await Promise.race([closed, late, quiet]);
      over.abort();
      return left;
    },
  };
}

async function untilQuiet(inFlight: () => number, signal: AbortSignal): Promise<void> {
  for (let sinceMs = performance.now(); performance.now() - sinceMs < quietMs;) {
    await systemClock.sleep(100, signal);
    if (inFlight() > 0) sinceMs = performance.now();
  }
}

function listenError({ hostname, port }: ListenOptions, cause: unknown): UserError {
  const place = `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
  if (cause instanceof Deno.errors.AddrInUse) {
    return new UserError(`Cannot listen on ${place}: the port is in use`, {
      hint: "Stop what listens there, or choose another port with --port (MCP_PROXY_PORT).",
      cause,
    });
  }
  if (cause instanceof Deno.errors.PermissionDenied) {
    return new UserError(`Cannot listen on ${place}: not permitted`, {
      hint: "Ports below 1024 need a privilege; choose another port.",
      cause,
    });
  }
  return new UserError(`Cannot listen on ${place}: ${cause instanceof Error ? cause.message : cause}`, {
    hint: "Check the address to listen on (--host, MCP_PROXY_HOST).",
    cause,
  });
}
