import { baseEnv, doormanCommand } from "../../tests/support/process.ts";

/** A running mcp-doorman in http mode; its log goes to this terminal. */
export interface Proxy extends AsyncDisposable {
  /** Its exit code, should it end before it is told to. */
  readonly exited: Promise<number>;
}

/** Starts it with these arguments and waits until it answers. */
export async function startProxy(args: readonly string[], baseUrl: string): Promise<Proxy> {
  const home = await Deno.makeTempDir({ prefix: "doorman-demo-" });
  const { command, args: before } = doormanCommand();
  const child = new Deno.Command(command, {
    args: [...before, ...args],
    clearEnv: true,
    env: { ...baseEnv(home), METRICS_ADDR: "127.0.0.1:0" },
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
  let ended = false;
  const exited = child.status.then(({ code }) => {
    ended = true;
    return code;
  });
  const proxy: Proxy = {
    exited,
    async [Symbol.asyncDispose]() {
      if (!ended) {
        try {
          child.kill("SIGTERM");
        } catch {
          // It has just ended.
        }
      }
      await exited;
      await Deno.remove(home, { recursive: true });
    },
  };
  for (let attempt = 0; attempt < 200 && !ended; attempt++) {
    const answer = await fetch(`${baseUrl}/healthz`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return proxy;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await proxy[Symbol.asyncDispose]();
  throw new Error("mcp-doorman did not start");
}
