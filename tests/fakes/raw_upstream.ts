/** Servers on loopback that do whatever a test says: one that answers with `Response`s, one that writes bytes. */

export interface RawUpstream extends AsyncDisposable {
  readonly url: string;
  readonly origin: string;
  readonly port: number;
  /** Requests so far; the handler decides whether bodies are read. */
  readonly received: Request[];
  /** Requests whose client went away before the answer was complete. */
  readonly aborted: Request[];
}

/** Answers each request with `handler`; the path of `url` is `/mcp`. */
export function startHandler(
  handler: (request: Request) => Response | Promise<Response>,
  options: { port?: number } = {},
): RawUpstream {
  const cut = new AbortController();
  const received: Request[] = [];
  const aborted: Request[] = [];
  const server = Deno.serve(
    {
      hostname: "127.0.0.1",
      port: options.port ?? 0,
      signal: cut.signal,
      onListen: () => {},
      onError: () => new Response("handler failed", { status: 500 }),
    },
    async (request, info) => {
      received.push(request);
      info.completed.catch(() => aborted.push(request));
      return await handler(request);
    },
  );
  const finished = server.finished.catch(() => {});
  const origin = `http://127.0.0.1:${server.addr.port}`;
  return {
    url: `${origin}/mcp`,
    origin,
    port: server.addr.port,
    received,
    aborted,
    async [Symbol.asyncDispose]() {
      cut.abort();
      await finished;
    },
  };
}

export interface ByteServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Connections accepted so far. */
  readonly connections: number;
}

/**
 * Hands each accepted connection to `talk`, which may write anything, nothing, or half of something; the connection is
 * closed when it returns. For broken HTTP, cut streams and servers that never answer.
 */
export function startBytes(talk: (connection: Deno.TcpConn) => Promise<void>): ByteServer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.TcpConn>();
  const work: Promise<void>[] = [];
  let connections = 0;
  const accepting = (async () => {
    for await (const connection of listener) {
      connections++;
      open.add(connection);
      work.push(
        talk(connection).catch(() => {}).finally(() => {
          if (open.delete(connection)) connection.close();
        }),
      );
    }
  })();
  return {
    url: `http://127.0.0.1:${listener.addr.port}/mcp`,
    port: listener.addr.port,
    get connections() {
      return connections;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of open) connection.close();
      open.clear();
      await accepting.catch(() => {});
      await Promise.all(work);
    },
  };
}

/** A port that nobody listens on (freed just now). */
export function unusedPort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}
