/**
 * The runtime's server, for TLS: HTTP/1.1 and HTTP/2.
 *
 *     listen -> serve -> accept loop dies (no file descriptors left) -> listen again
 *            |-> another certificate: a second listener on the same port, then the first one takes no more connections
 *            `-> drain: listener closed -> standing streams ended -> calls finish, or the deadline
 */
import { systemClock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Listening, ListenOptions, ServeHandler } from "./listening.ts";
import { Reply, responseOf } from "./reply.ts";

/** Certificate chain and key, PEM. */
export interface Tls {
  readonly cert: string;
  readonly key: string;
}

/** A listener whose certificate can be changed. */
export interface RenewableListening extends Listening {
  /**
   * New connections get this certificate; requests on open ones end with the old one. A connection that is just being
   * set up, or that waits for its next request, is closed, as at any restart.
   * @throws when certificate and key cannot be used; the old ones stay then.
   */
  renew(tls: Tls): void;
}

const relistenAfterMs = 200;

/** With nothing in flight for so long, whatever was answered has been sent. */
const quietMs = 3_000;

/** Listens. @throws what the runtime says when the address cannot be had. */
export function listenTls(
  options: ListenOptions & { readonly tls: Tls },
  handler: ServeHandler,
  log: Logger,
): RenewableListening {
  let draining = false;
  let bound = { hostname: options.hostname, port: options.port };
  let tls = options.tls;
  // Listeners that were replaced, until their last request is over.
  const replaced = new Set<Promise<void>>();

  const open = (): Deno.HttpServer<Deno.NetAddr> => {
    const server = Deno.serve({
      ...bound,
      ...tls,
      // So that a second listener can take over with another certificate.
      reusePort: true,
      onListen: () => {},
      onError: (error) => {
        log.error("request_failed", { cause: error instanceof Error ? error.message : String(error) });
        return new Response(null, { status: 500 });
      },
    }, async (request, info) => {
      // A client that has left before its request's signal is first asked for is never noticed (HTTP/2 and, before
      // Deno 2.9, HTTP/1.1).
      request.signal;
      const answer = await handler(request, info.remoteAddr.hostname);
      return answer instanceof Reply ? responseOf(answer) : answer;
    });
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

  let server = open();
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
