import { join } from "node:path";

/** A real redis-server on loopback that keeps nothing on disk. */
export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** Ends the process at once, as a crash would. */
  kill(): Promise<void>;
  /** Starts it again, empty, on the same port. */
  restart(): Promise<void>;
}

/** Whether redis-server is there. Under `REQUIRE_SERVICES=1` a missing one is an error. */
export function haveRedis(): boolean {
  try {
    if (new Deno.Command("redis-server", { args: ["--version"], stdout: "null" }).outputSync().success) {
      return true;
    }
  } catch {
    // Reported below.
  }
  if (Deno.env.get("REQUIRE_SERVICES") === "1") throw new Error("redis-server is required and was not found");
  console.warn("left out: tests that need redis-server, which was not found");
  return false;
}

/** Starts one; `args` are further lines of its configuration, such as `--requirepass x`. */
export async function startRedis(args: readonly string[] = []): Promise<RedisServer> {
  const folder = await Deno.makeTempDir({ prefix: "redis-" });
  const port = freePort();
  let child: Deno.ChildProcess;

  async function start(): Promise<void> {
    const fixed = [
      "--port",
      `${port}`,
      "--bind",
      "127.0.0.1",
      "--save",
      "",
      "--appendonly",
      "no",
      "--dir",
      folder,
    ];
    child = new Deno.Command("redis-server", {
      args: [...fixed, "--logfile", join(folder, "log"), ...args],
      stdout: "null",
      stderr: "null",
    }).spawn();
    const until = Date.now() + 10_000;
    while (!await answers(port)) {
      if (Date.now() > until) throw new Error(`redis-server did not start on port ${port}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async function kill(): Promise<void> {
    try {
      child.kill("SIGKILL");
    } catch {
      // It is gone already.
    }
    await child.status;
  }

  async function remove(): Promise<void> {
    await kill();
    await Deno.remove(folder, { recursive: true });
  }

  try {
    await start();
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    port,
    url: `redis://127.0.0.1:${port}/0`,
    kill,
    restart: start,
    [Symbol.asyncDispose]: remove,
  };
}

async function answers(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
