/**
 * Several processes behind one port, on one Redis. Each worker is the whole of http mode; the system spreads new
 * connections over them (SO_REUSEPORT). The parent serves nothing but the admin listener.
 *
 *     parent -> worker 1..n -- ended? -> started again after a pause
 *            -> /metrics: the workers' added up; /readyz: all of them
 *     SIGTERM -> the workers' input ends -> they drain -> parent ends; a second signal ends all at once
 */
import { systemClock } from "../base/clock.ts";
import { UserError } from "../base/errors.ts";
import { type Logger, openLog } from "../base/log.ts";
import { listenAdmin } from "../http/admin_listener.ts";
import type { HttpConfig } from "../http/config.ts";
import { countersOf, mergeMetrics } from "../http/merge_metrics.ts";
import type { Incoming } from "../http/incoming.ts";
import { stopSignal } from "../http/stop_signal.ts";
import { ownCommand, workerVariable } from "./worker_link.ts";

const firstPauseMs = 500;
const longestPauseMs = 30_000;

/** Runs the workers until told to stop; the exit code. @throws UserError when they cannot start */
export async function runWorkers(config: HttpConfig): Promise<number> {
  if (config.upstream.kind !== "url") {
    throw new UserError("Cannot use several workers with an upstream that is started as a child", {
      hint: "Start the upstream by itself and give its URL, or leave --workers at 1.",
      exitCode: 2,
    });
  }
  if (config.listen.port === 0) {
    throw new UserError("Cannot use several workers on a port that the system chooses", {
      hint: "Give the port that they share with --port.",
      exitCode: 2,
    });
  }
  const log = openLog(config.log);
  using stop = stopSignal();
  const workers = Array.from({ length: config.workers }, (_, at) => new WorkerLife(at + 1, log));
  const admin = config.adminListen &&
    listenAdmin(
      { ...config.adminListen, reusePort: config.reusePort },
      (request) => adminAnswer(request, workers),
      { clock: systemClock, log },
    );
  const failed = Promise.race(workers.map((worker) => worker.failedAtStart));
  const first = await Promise.race([stop.first, failed]);
  if (config.reusePort) await admin?.drain();

  const deadline = systemClock.sleep(config.shutdownTimeoutMs + 5_000).then(() => "late");
  const over = Promise.all(workers.map((worker) => worker.drain())).then(() => "over");
  const ending = await Promise.race([over, stop.second, deadline]);
  if (ending !== "over") await Promise.all(workers.map((worker) => worker.kill()));
  if (!config.reusePort) await admin?.drain();
  if (typeof first === "number") return first;
  return ending === "over" || ending === "late" ? 0 : 2;
}

class WorkerLife {
  readonly failedAtStart: Promise<number>;
  adminPort: number | undefined;
  /** Its metrics when they were last asked for; and the counters of its earlier lives. */
  metrics = "";
  ended = "";
  readonly #ending = new AbortController();
  readonly #over: Promise<void>;
  #child: Deno.ChildProcess | undefined;
  #failed = Promise.withResolvers<number>();

  constructor(private readonly index: number, private readonly log: Logger) {
    this.failedAtStart = this.#failed.promise;
    this.#over = this.#live();
  }

  /**
   * The end of its input makes a worker drain. A signal would not do: one from the terminal reaches it as well, and the
   * second of two ends it at once.
   */
  async drain(): Promise<void> {
    this.#ending.abort();
    await this.#child?.stdin.close().catch(() => {});
    await this.#over;
  }

  async kill(): Promise<void> {
    try {
      this.#child?.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.#over;
  }

  async #live(): Promise<void> {
    let pauseMs = firstPauseMs;
    let served = false;
    while (!this.#ending.signal.aborted) {
      const startedMs = systemClock.now();
      const code = await this.#run();
      served ||= this.adminPort !== undefined;
      this.ended = mergeMetrics([this.ended, countersOf(this.metrics)]);
      this.metrics = "";
      this.adminPort = undefined;
      if (this.#ending.signal.aborted) return;
      // What cannot start at all would not start later either; its own line has said why.
      if (!served) return this.#failed.resolve(code === 0 ? 1 : code);
      if (systemClock.now() - startedMs > 60_000) pauseMs = firstPauseMs;
      this.log.error("worker_ended", { id: String(this.index), code: String(code), waitMs: pauseMs });
      await systemClock.sleep(pauseMs, this.#ending.signal).catch(() => {});
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    }
  }

  async #run(): Promise<number> {
    const { command, args } = ownCommand();
    const child = new Deno.Command(command, {
      args: [...args],
      env: { [workerVariable]: String(this.index) },
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#child = child;
    const reading = this.#readPort(child.stdout);
    const { code } = await child.status;
    this.#child = undefined;
    await reading;
    await child.stdin.abort().catch(() => {});
    return code;
  }

  /** The worker's only line says where its admin listener is. */
  async #readPort(stdout: ReadableStream<Uint8Array>): Promise<void> {
    let text = "";
    for await (const piece of stdout.pipeThrough(new TextDecoderStream())) {
      text += piece;
      const port = /^(\d+)\n/.exec(text)?.[1];
      if (port !== undefined && this.adminPort === undefined) {
        this.adminPort = Number(port);
        this.log.info("worker_serving", { id: String(this.index), port: this.adminPort });
      }
    }
  }
}

async function adminAnswer(request: Incoming, workers: readonly WorkerLife[]): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === "/healthz") return Response.json({ status: "ok" });
  if (pathname !== "/readyz" && pathname !== "/metrics") {
    return Response.json({ status: "not_found" }, { status: 404 });
  }
  const answers = await Promise.all(workers.map((worker) => ask(worker, pathname)));
  if (pathname === "/readyz") {
    const bad = answers.find((answer) => answer === undefined || !answer.ok);
    if (bad === undefined && answers.every((answer) => answer !== undefined)) {
      return Response.json({ status: "ok" });
    }
    return new Response(bad?.text ?? '{"status":"starting"}', {
      status: 503,
      headers: { "content-type": "application/json" },
    });
  }
  for (const [at, worker] of workers.entries()) {
    // One that does not answer for once has not lost what it counted.
    if (answers[at]?.ok === true && worker.adminPort !== undefined) worker.metrics = answers[at].text;
  }
  return new Response(mergeMetrics(workers.flatMap(({ metrics, ended }) => [metrics, ended])), {
    headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
  });
}

async function ask(
  { adminPort }: WorkerLife,
  path: string,
): Promise<{ readonly ok: boolean; readonly text: string } | undefined> {
  if (adminPort === undefined) return undefined;
  try {
    const response = await fetch(`http://127.0.0.1:${adminPort}${path}`, {
      signal: AbortSignal.timeout(2_000),
    });
    return { ok: response.ok, text: await response.text() };
  } catch {
    return undefined;
  }
}
