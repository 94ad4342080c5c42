import type { Logger } from "../../base/log.ts";
import { childEnvironment } from "../child_environment.ts";
import { logOutput } from "../child_output.ts";
import { UpstreamError } from "../upstream.ts";

/** How a child is started. */
export interface ChildOptions {
  readonly command: readonly string[];
  /** Variables that the child does not get. */
  readonly withheld: readonly string[];
  /** A line longer than this ends the child, for nothing sensible is to be expected of it. */
  readonly maxLineLength: number;
  readonly log: Logger;
}

const killAfterMs = 5_000;

/** A process that speaks MCP on its stdin and stdout, one message a line. */
export class StdioChild {
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #encoder = new TextEncoder();
  /** Resolves when the process has ended and everything that it said was heard. */
  readonly ended: Promise<void>;

  /** `hear` gets each line; the next one is read when it is done. @throws UpstreamError when there is no such program */
  constructor(private readonly options: ChildOptions, hear: (line: string) => void | Promise<void>) {
    const { command: [program = "", ...args], withheld, log } = options;
    try {
      this.#process = new Deno.Command(program, {
        args,
        clearEnv: true,
        env: childEnvironment(withheld),
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
    } catch (error) {
      throw new UpstreamError("unreachable", `the command cannot be started: ${program}`, error);
    }
    log.info("upstream_started", { pid: this.#process.pid });
    this.#input = this.#process.stdin.getWriter();
    this.#input.closed.catch(() => {});
    this.ended = this.#live(hear);
  }

  /** Writes a message, which must be one line. @throws UpstreamError when nobody listens any more */
  async send(line: string): Promise<void> {
    try {
      await this.#input.write(this.#encoder.encode(`${line}\n`));
    } catch (error) {
      throw new UpstreamError("broken", "the child does not listen any more", error);
    }
  }

  /** Ends it: by closing its input, as MCP's stdio transport wants it, then by signals. */
  async end(): Promise<void> {
    await this.#input.close().catch(() => {});
    const softly = setTimeout(() => this.#signal("SIGTERM"), killAfterMs / 5);
    const hardly = setTimeout(() => this.#signal("SIGKILL"), killAfterMs);
    await this.ended;
    clearTimeout(softly);
    clearTimeout(hardly);
  }

  async #live(hear: (line: string) => void | Promise<void>): Promise<void> {
    const { log } = this.options;
    const errors = logOutput(this.#process.stderr, "stderr", log);
    await this.#listen(hear).catch((error: unknown) => {
      log.warn("upstream_output_unusable", {
        reason: error instanceof Error ? error.message : String(error),
      });
      this.#signal("SIGKILL");
    });
    const { code, signal } = await this.#process.status;
    await this.#input.close().catch(() => {});
    await errors;
    log.info("upstream_ended", { code: String(code), ...(signal ? { reason: signal } : {}) });
  }

  async #listen(hear: (line: string) => void | Promise<void>): Promise<void> {
    let held = "";
    for await (const text of this.#process.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (held + text).split("\n");
      held = lines.pop() ?? "";
      if (held.length > this.options.maxLineLength) throw new Error("a line of the child is too long");
      for (const line of lines) {
        const message = line.replace(/\r$/, "");
        if (message.trim() !== "") await hear(message);
      }
    }
  }

  #signal(signal: Deno.Signal): void {
    try {
      this.#process.kill(Deno.build.os === "windows" ? "SIGKILL" : signal);
    } catch {
      // It is gone already.
    }
  }
}
