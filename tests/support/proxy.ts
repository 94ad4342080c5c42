/**
 * A corporate proxy on loopback: CONNECT and plain requests, every name led to a port of this machine. It records
 * what it was asked for.
 */

export interface TestProxy extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** `CONNECT host:port` or `GET http://…`, in order. */
  readonly asked: string[];
}

export interface ProxyOptions {
  /** Where each `host:port` really is; a missing one is answered 502. */
  readonly routes: Readonly<Record<string, number>>;
  /** `user:password`; without it nobody is asked. */
  readonly credentials?: string;
}

export function startProxy({ routes, credentials }: ProxyOptions): TestProxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const asked: string[] = [];
  const open = new Set<Deno.Conn>();
  const tasks = new Set<Promise<void>>();

  const serve = async (near: Deno.Conn): Promise<void> => {
    open.add(near);
    try {
      const head = await readHead(near);
      if (head === undefined) return;
      const [method = "", target = ""] = head.split("\r\n", 1)[0]?.split(" ") ?? [];
      asked.push(`${method} ${target}`);
      const authorization = /^proxy-authorization: basic (.+)$/im.exec(head)?.[1]?.trim();
      if (credentials !== undefined && authorization !== btoa(credentials)) {
        return await answer(near, "407 Proxy Authentication Required\r\nProxy-Authenticate: Basic");
      }
      const url = method === "CONNECT" ? new URL(`https://${target}`) : new URL(target);
      const port = routes[`${url.hostname}:${url.port || (url.protocol === "https:" ? 443 : 80)}`];
      if (port === undefined) return await answer(near, "502 Bad Gateway");
      const far = await Deno.connect({ hostname: "127.0.0.1", port });
      open.add(far);
      if (method === "CONNECT") {
        await near.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\n\r\n"));
      } else {
        const line = `${method} ${url.pathname}${url.search} HTTP/1.1`;
        const rest = head.slice(head.indexOf("\r\n")).replace(/\r\n\r\n/, "\r\nConnection: close\r\n\r\n");
        await far.write(new TextEncoder().encode(line + rest));
      }
      await Promise.allSettled([near.readable.pipeTo(far.writable), far.readable.pipeTo(near.writable)]);
    } catch {
      // The other side left.
    } finally {
      close(near);
    }
  };
  const accepting = (async () => {
    try {
      for await (const conn of listener) {
        const task: Promise<void> = serve(conn).finally(() => tasks.delete(task));
        tasks.add(task);
      }
    } catch {
      // Closed.
    }
  })();

  return {
    port: listener.addr.port,
    url: `http://127.0.0.1:${listener.addr.port}`,
    asked,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const conn of open) close(conn);
      await accepting;
      await Promise.all(tasks);
    },
  };
}

function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // Closed already.
  }
}

async function answer(conn: Deno.Conn, status: string): Promise<void> {
  await conn.write(
    new TextEncoder().encode(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`),
  );
}

async function readHead(conn: Deno.Conn): Promise<string | undefined> {
  const buffer = new Uint8Array(16_384);
  for (let length = 0; length < buffer.length;) {
    const read = await conn.read(buffer.subarray(length));
    if (read === null) return undefined;
    length += read;
    const text = new TextDecoder().decode(buffer.subarray(0, length));
    if (text.includes("\r\n\r\n")) return text;
  }
  return undefined;
}
