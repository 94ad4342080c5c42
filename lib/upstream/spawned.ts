/**
 * An upstream that we start ourselves: a child that serves MCP over HTTP on a loopback port.
 *
 *     start -> poll the port until it answers (any status below 500) -> ready
 *          `-> ended early -> logged, started again after a pause that doubles (1 s to 30 s)
 *     close -> SIGTERM -> 5 s -> SIGKILL
 */
import { type Clock, systemClock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { childEnvironment } from "./child_environment.ts";
import { logOutput } from "./child_output.ts";
import type { UpstreamConfig } from "./config.ts";
import { Http1Client } from "./http1/client.ts";
import { remoteUpstream } from "./remote.ts";
import { type Upstream, UpstreamError } from "./upstream.ts";

/** How long requests wait for a child that is starting, and how often it is asked; milliseconds. */
const readyWithinMs = 30_000;
const pollMs = 100;
const killAfterMs = 5_000;
const firstPauseMs = 1_000;
const longestPauseMs = 30_000;
/** A child that ran this long starts again without the pauses of earlier failures. */
const settledAfterMs = 60_000;

type SpawnConfig = Extract<UpstreamConfig, { kind: "spawn" }>;

/** Starts the child; requests wait until it is ready. */
export function spawnedUpstream(
  config: SpawnConfig,
  context: { readonly log: Logger; readonly clock?: Clock },
): Upstream {
  const { log, clock = systemClock } = context;
  const remote = remoteUpstream({
    ...config,
    url: new URL(config.path, `http://127.0.0.1:${config.port}`),
    transport: new Http1Client({
      hostname: "127.0.0.1",
      port: config.port,
      host: `127.0.0.1:${config.port}`,
      timeoutMs: config.connectTimeoutMs,
    }),
  });
  const life = new ChildLife(config, log, clock);
  return {
    async forward(request) {
      if (!life.isReady) await life.becomesReady();
      return await remote.forward(request);
    },
    ready: async () => life.isReady && await remote.ready(),
    async [Symbol.asyncDispose]() {
      await life.end();
      await remote[Symbol.asyncDispose]();
    },
  };
}

class ChildLife {
  isReady = false;
  readonly #ending = new AbortController();
  readonly #over: Promise<void>;
  #readiness = Promise.withResolvers<void>();

  constructor(
    private readonly config: SpawnConfig,
    private readonly log: Logger,
    private readonly clock: Clock,
  ) {
    this.#readiness.promise.catch(() => {});
    this.#over = this.#live();
  }

  /** @throws UpstreamError when the child does not get ready in time. */
  async becomesReady(): Promise<void> {
    const enough = new AbortController();
    const late = this.clock.sleep(readyWithinMs, enough.signal).then(
      () => {
        throw new UpstreamError("timeout", "the child process is not ready");
      },
      () => {},
    );
    try {
      await Promise.race([this.#readiness.promise, late]);
    } finally {
      enough.abort();
    }
  }

  async end(): Promise<void> {
    this.#ending.abort();
    this.#readiness.reject(new UpstreamError("unreachable", "the child process is being ended"));
    await this.#over;
  }

  async #live(): Promise<void> {
    let pauseMs = firstPauseMs;
    while (!this.#ending.signal.aborted) {
      const startedMs = this.clock.now();
      await this.#run();
      if (this.isReady || this.clock.now() - startedMs > settledAfterMs) this.#readiness = newReadiness();
      this.isReady = false;
      if (this.#ending.signal.aborted) return;
      if (this.clock.now() - startedMs > settledAfterMs) pauseMs = firstPauseMs;
      this.log.warn("upstream_restarting", { waitMs: pauseMs });
      await this.clock.sleep(pauseMs, this.#ending.signal).catch(() => {});
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    }
  }

  /** One life of the child, from its start to its end. */
  async #run(): Promise<void> {
    const [program = "", ...args] = this.config.command;
    let child: Deno.ChildProcess;
    try {
      child = new Deno.Command(program, {
        args,
        clearEnv: true,
        env: childEnvironment(this.config.withheldVariables ?? []),
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
    } catch (error) {
      this.log.error("upstream_not_started", {
        cause: error instanceof Error ? error.message : String(error),
      });
      return;
    }
    this.log.info("upstream_started", { pid: child.pid, port: this.config.port });
    const output = Promise.all([
      logOutput(child.stdout, "stdout", this.log),
      logOutput(child.stderr, "stderr", this.log),
    ]);
    const stop = () => this.#kill(child);
    this.#ending.signal.addEventListener("abort", stop, { once: true });
    if (this.#ending.signal.aborted) stop();
    const ended = new AbortController();
    const polling = this.#poll(ended.signal);
    const status = await child.status;
    ended.abort();
    this.#ending.signal.removeEventListener("abort", stop);
    await Promise.all([polling, output]);
    const level = this.#ending.signal.aborted ? "info" : "error";
    this.log[level]("upstream_ended", {
      code: String(status.code),
      ...(status.signal ? { reason: status.signal } : {}),
    });
  }

  async #poll(signal: AbortSignal): Promise<void> {
    const url = `http://127.0.0.1:${this.config.port}${this.config.path}`;
    while (!signal.aborted) {
      try {
        const response = await fetch(url, { method: "HEAD", redirect: "manual", signal });
        await response.body?.cancel();
        if (response.status < 500) {
          this.isReady = true;
          this.#readiness.resolve();
          this.log.info("upstream_ready", { port: this.config.port });
          return;
        }
      } catch {
        // Not listening yet.
      }
      await this.clock.sleep(pollMs, signal).catch(() => {});
    }
  }

  #kill(child: Deno.ChildProcess): void {
    signalChild(child, Deno.build.os === "windows" ? "SIGKILL" : "SIGTERM");
    const gone = new AbortController();
    child.status.finally(() => gone.abort());
    this.clock.sleep(killAfterMs, gone.signal).then(() => signalChild(child, "SIGKILL"), () => {});
  }
}

function newReadiness(): PromiseWithResolvers<void> {
  const readiness = Promise.withResolvers<void>();
  readiness.promise.catch(() => {});
  return readiness;
}

function signalChild(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // It is gone already.
  }
}
