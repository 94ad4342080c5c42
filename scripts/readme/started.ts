import { textLines } from "../../tests/support/lines.ts";
import type { Place } from "./place.ts";

/** A command that goes on until it is ended. */
export interface Started extends AsyncDisposable {
  /** Resolves with all that was said on both streams so far when a line matches; rejects when it ends without. */
  until(pattern: RegExp): Promise<string>;
  write(line: string): Promise<void>;
  /** Ends it as a terminal would; its exit code. */
  stop(): Promise<number>;
}

/** Starts a shell command there, in a process group of its own, as a terminal does. */
export function start(command: string, { home, env }: Place): Started {
  const child = new Deno.Command("setsid", {
    args: ["sh", "-c", `exec ${command}`],
    cwd: home,
    clearEnv: true,
    env,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let said = "";
  let ended = false;
  let wake = () => {};
  const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    for await (const line of stream.pipeThrough(textLines())) {
      said += line + "\n";
      wake();
    }
  };
  const reading = Promise.all([read(child.stdout), read(child.stderr)]).then(() => {
    ended = true;
    wake();
  });
  const writer = child.stdin.getWriter();
  const started: Started = {
    async until(pattern) {
      while (!pattern.test(said)) {
        if (ended) throw new Error(`${command} ended without ${pattern}:\n${said}`);
        await new Promise<void>((resolve) => wake = resolve);
      }
      return said;
    },
    write: (line) => writer.write(new TextEncoder().encode(line + "\n")),
    async stop() {
      await writer.close().catch(() => {});
      if (!ended) await new Deno.Command("kill", { args: ["-INT", "--", `-${child.pid}`] }).output();
      const { code } = await child.status;
      await reading;
      return code;
    },
    async [Symbol.asyncDispose]() {
      await started.stop().catch(() => {});
    },
  };
  return started;
}
