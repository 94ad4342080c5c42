/** A real Redis of a test's own, on a free loopback port, without persistence. */
export interface RedisServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
}

/** Starts `path` (see `testWithService("redis", …)`); `port` to come back on the same one after `kill`. */
export async function startRedis(
  path: string,
  options: { port?: number; args?: string[] } = {},
): Promise<RedisServer> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const port = options.port ?? freePort();
    const child = new Deno.Command(path, {
      args: [
        "--port",
        String(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
        "--daemonize",
        "no",
        "--dir",
        "/tmp",
        ...(options.args ?? []),
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    if (await answers(port, child.status)) {
      let ended = false;
      const kill = async () => {
        if (ended) return;
        ended = true;
        child.kill("SIGKILL");
        await child.status;
      };
      return { url: `redis://127.0.0.1:${port}`, port, pid: child.pid, kill, [Symbol.asyncDispose]: kill };
    }
    try {
      child.kill("SIGKILL");
    } catch {
      // It ended by itself: the port was taken.
    }
    await child.status;
  }
  throw new Error("Cannot start Redis");
}

async function answers(port: number, status: Promise<unknown>): Promise<boolean> {
  let ended = false;
  status.then(() => ended = true);
  for (let attempt = 0; attempt < 200 && !ended; attempt++) {
    try {
      using connection = await Deno.connect({ hostname: "127.0.0.1", port });
      await connection.write(new TextEncoder().encode("PING\r\n"));
      const buffer = new Uint8Array(64);
      const size = await connection.read(buffer);
      if (/^(\+PONG|-NOAUTH)/.test(new TextDecoder().decode(buffer.subarray(0, size ?? 0)))) return true;
    } catch {
      // Not yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return false;
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
