/**
 * Plain HTTP/1.1 on sockets of our own.
 *
 *     accept -> connection.ts, one for each
 *        |-> no file descriptors left: later again; connections that are open go on being served
 *        `-> drain: the listener and everything that waits closed -> answers finish, or the deadline cuts them
 */
import { Crowd } from "../../base/crowd.ts";
import { systemClock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { ConnectionLimits, DrainOptions, Listening, ListenOptions, ServeHandler } from "../listening.ts";
import { Reply, replyOf } from "../reply.ts";
import { ServerConnection } from "./connection.ts";

/**
 * An edge before us keeps connections for the next request, some of them for ten minutes; whoever closes first may cut a
 * request that is on its way.
 */
const defaults: ConnectionLimits = { headMs: 30_000, idleMs: 650_000, lingerMs: 1_000 };

const acceptAgainAfterMs = 200;
const lookEveryMs = 500;
const drainLookEveryMs = 50;

/** Listens. @throws what the runtime says when the address cannot be had. */
export function listenHttp1(
  { hostname, port, reusePort = false, limits: ours }: ListenOptions,
  handler: ServeHandler,
  log: Logger,
): Listening {
  const listener = Deno.listen({ hostname, port, ...(reusePort ? { reusePort } : {}) });
  const connections = new Crowd<ServerConnection>();
  const limits = { ...defaults, ...ours };
  let draining = false;
  let emptied = () => {};
  let looking: ReturnType<typeof setInterval> | undefined;

  const parts = {
    limits,
    draining: () => draining,
    onBadHead: ({ status, message }: { status: number; message: string }, address: string) =>
      log.info("request_unreadable", { address, status, reason: message.replaceAll(" ", "_") }),
    onBadAnswer: (cause: string) => log.error("answer_unwritable", { cause }),
    handler: async (...call: Parameters<ServeHandler>): Promise<Reply> => {
      try {
        const answer = await handler(...call);
        return answer instanceof Reply ? answer : replyOf(answer);
      } catch (error) {
        log.error("request_failed", { cause: error instanceof Error ? error.message : String(error) });
        return new Reply(500, [], null);
      }
    },
  };

  const serve = async (conn: Deno.TcpConn) => {
    const connection = new ServerConnection(conn, conn.remoteAddr.hostname, parts);
    connections.enter(connection);
    looking ??= setInterval(look, Math.min(lookEveryMs, ...Object.values(limits)));
    connection.run();
    await connection.over;
    connections.leave(connection);
    if (connections.size === 0) emptied();
  };

  const look = () => {
    if (connections.size === 0) {
      clearInterval(looking);
      looking = undefined;
    }
    const nowMs = performance.now();
    for (const connection of connections) connection.look(nowMs);
  };

  const accept = async () => {
    for (let failed = false; !draining;) {
      try {
        const conn = await listener.accept();
        if (failed) log.warn("listener_restarted", { port: listener.addr.port });
        failed = false;
        serve(setUp(conn));
      } catch (error) {
        if (draining) return;
        if (isOfOneConnection(error)) continue;
        if (!failed) {
          log.error("listener_failed", { cause: error instanceof Error ? error.message : String(error) });
        }
        failed = true;
        await systemClock.sleep(acceptAgainAfterMs);
      }
    }
  };
  accept();

  return {
    hostname,
    port: listener.addr.port,
    async drain({ deadlineMs, onClosed }: DrainOptions) {
      if (!draining) listener.close();
      draining = true;
      clearInterval(looking);
      looking = setInterval(look, drainLookEveryMs);
      look();
      const closed = new Promise<void>((resolve) => {
        emptied = resolve;
        if (connections.size === 0) resolve();
      });
      onClosed?.();
      const over = new AbortController();
      const late = systemClock.sleep(deadlineMs, over.signal).then(() => true, () => true);
      const left = await Promise.race([closed.then(() => false), late]);
      over.abort();
      clearInterval(looking);
      return left;
    },
  };
}

function setUp(conn: Deno.TcpConn): Deno.TcpConn {
  try {
    // A stream's pieces go out as they come.
    conn.setNoDelay(true);
  } catch {
    // It is gone already, which reading will tell.
  }
  return conn;
}

/** A client that left before it was accepted is no fault of the listener, and nobody waits because of it. */
function isOfOneConnection(error: unknown): boolean {
  return [
    Deno.errors.ConnectionAborted,
    Deno.errors.ConnectionReset,
    Deno.errors.NotConnected,
    Deno.errors.BrokenPipe,
    Deno.errors.TimedOut,
    Deno.errors.NetworkUnreachable,
  ].some((kind) => error instanceof kind);
}
