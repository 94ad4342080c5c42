/**
 * Does it stay the same for a long time? `deno task soak [--minutes 10] [--kill-every 20] [--pause 20]`. Clients
 * call, listen and give up at random, with pauses of up to so many milliseconds between calls, while the upstream is killed and started again. Every call that was not given up has to be answered, rightly;
 * at the end memory, file descriptors and connections have to be back where they were. `MCP_DOORMAN_BIN` names a
 * binary to run instead of the source.
 *
 *     callers, listeners -> product -> upstream (killed every 20 s, away for a second)
 */
import { parseArgs } from "node:util";
import { startIdp } from "../tests/fakes/idp.ts";
import { startHttpMode } from "../tests/support/http_mode.ts";
import { logIn } from "../tests/support/oauth_client.ts";
import { rssMb } from "./bench_http/process_stat.ts";
import { caller, type Findings, listener, type Work } from "./soak/callers.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    minutes: { type: "string", default: "10" },
    "kill-every": { type: "string", default: "20" },
    pause: { type: "string", default: "20" },
  },
});

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Memory may grow by this much between the second minute and the end. */
const allowedGrowthMb = 12;

function descriptors(pid: number): number {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
}

/** Connections of this process to the port. */
function connectionsTo(port: number, pid: number): number {
  const sockets = new Set<string>();
  for (const { name } of Deno.readDirSync(`/proc/${pid}/fd`)) {
    try {
      sockets.add(Deno.readLinkSync(`/proc/${pid}/fd/${name}`));
    } catch {
      // Closed meanwhile.
    }
  }
  const remote = new RegExp(`:${port.toString(16).toUpperCase().padStart(4, "0")}$`);
  return ["tcp", "tcp6"].flatMap((kind) => Deno.readTextFileSync(`/proc/${pid}/net/${kind}`).split("\n"))
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => remote.test(fields[2] ?? "") && sockets.has(`socket:[${fields[9]}]`)).length;
}

/** A port that no outgoing connection takes while the upstream is away: those come from 32768 up. */
function fixedPort(): number {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 9_000);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch {
      // Taken; the next one.
    }
  }
}

function startUpstream(port: number): Deno.ChildProcess {
  const args = ["run", "-A", "--no-lock", new URL("./soak/upstream.ts", import.meta.url).pathname, `${port}`];
  return new Deno.Command(Deno.execPath(), { args, stdin: "null", stdout: "null", stderr: "null" }).spawn();
}

async function untilOpen(port: number): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt++) {
    try {
      return (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    } catch {
      await wait(25);
    }
  }
  throw new Error(`nothing listens on port ${port}`);
}

async function soak(): Promise<boolean> {
  const port = fixedPort();
  let upstream = startUpstream(port);
  await untilOpen(port);
  await using idp = await startIdp();
  await using doorman = await startHttpMode({
    idp,
    upstreamUrl: `http://127.0.0.1:${port}/mcp`,
    env: { RATE_LIMIT_MCP: "1000000", MCP_PER_SUBJECT_CONCURRENCY: "10000", LOG_LEVEL: "error" },
  });
  const { pid } = doorman.process;
  const { tokens } = await logIn(doorman.mcpUrl, { user: "alice" });
  const before = { fds: descriptors(pid), rss: rssMb(pid) ?? 0, upstream: connectionsTo(port, pid) };

  const stop = new AbortController();
  const findings: Findings = { answered: 0, failures: 0, broken: 0, aborted: 0, wrong: [] };
  let quietSinceMs = 0;
  let away = false;
  const work: Work = {
    url: doorman.mcpUrl,
    token: tokens.access_token,
    findings,
    disturbed: () => away || performance.now() - quietSinceMs < 2_000,
    stop: stop.signal,
    pauseMs: Number(values.pause),
    client: Deno.createHttpClient({ poolMaxIdlePerHost: 100 }),
  };
  const workers = [
    ...Array.from({ length: 8 }, () => caller(work, 0)),
    ...Array.from({ length: 8 }, () => caller(work, 10)),
    ...Array.from({ length: 10 }, () => listener(work)),
  ];

  const endMs = performance.now() + Number(values.minutes) * 60_000;
  let settled: number | undefined;
  for (let turn = 1; performance.now() < endMs; turn++) {
    await wait(Math.min(Number(values["kill-every"]) * 1_000, Math.max(0, endMs - performance.now())));
    if (performance.now() >= endMs) break;
    away = true;
    upstream.kill("SIGKILL");
    await upstream.status;
    await wait(1_000);
    upstream = startUpstream(port);
    await untilOpen(port);
    quietSinceMs = performance.now();
    away = false;
    const rss = rssMb(pid) ?? 0;
    if (settled === undefined && performance.now() > endMs - Number(values.minutes) * 60_000 * 0.8) {
      settled = rss;
    }
    console.log(
      `${turn}: ${rss.toFixed(1)} MB, ${descriptors(pid)} descriptors, ` +
        `${connectionsTo(port, pid)} to the upstream, ${findings.answered} answered, ` +
        `${findings.failures} refused, ${findings.broken} broken, ${findings.aborted} given up, ` +
        `${findings.wrong.length} wrong`,
    );
  }
  stop.abort();
  await Promise.all(workers);
  work.client.close();

  // Idle connections to the upstream are kept for a minute.
  const back = () => descriptors(pid) <= before.fds + 3 && connectionsTo(port, pid) <= before.upstream;
  for (let second = 0; second < 100 && !back(); second++) await wait(1_000);
  const fds = descriptors(pid);
  const connections = connectionsTo(port, pid);
  const rss = rssMb(pid) ?? 0;
  const grown = rss - (settled ?? rss);
  upstream.kill("SIGKILL");
  await upstream.status;
  const ok = findings.wrong.length === 0 && grown <= allowedGrowthMb && fds <= before.fds + 3 &&
    connections <= before.upstream;
  console.log(
    `${before.rss.toFixed(1)} MB at first, ${(settled ?? rss).toFixed(1)} settled, ${
      rss.toFixed(1)
    } at the end; ` +
      `${before.fds} descriptors at first, ${fds} at the end; ` +
      `${before.upstream} connections to the upstream at first, ${connections} at the end`,
  );
  for (const what of findings.wrong) console.log(`wrong: ${what}`);
  console.log(ok ? "It stayed the same." : "It did not stay the same.");
  return ok;
}

Deno.exit(await soak() ? 0 : 1);
