/**
 * One client at work, in a process of its own: does what it is told and prints its figures as JSON. Bundled, so that
 * Node runs it as well as Deno.
 */
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { fetchClient, httpClient, type RpcClient, stdioClient, type Target } from "./clients.ts";
import { sdkHttpClient, sdkStdioClient } from "./sdk_clients.ts";

/** What a driver is told. */
export interface Order {
  readonly way: keyof typeof ways;
  readonly target: Target;
}

/** What a driver found out, by the name of the measure. */
export type Findings = Readonly<Record<string, number>>;

const ways = {
  http: httpClient,
  fetch: fetchClient,
  sdk: sdkHttpClient,
  "through stdio": stdioClient,
  "sdk through stdio": sdkStdioClient,
} as const;

const largeBytes = 5_000_000;

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function each(count: number, work: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < count; n++) times.push(await timed(work));
  return times;
}

/** Calls per second with `width` of them under way all the time. */
async function inFlight(client: RpcClient, count: number, width: number): Promise<number> {
  let sent = 0;
  const worker = async () => {
    while (sent++ < count) await client.call("echo", { text: "hello" });
  };
  const ms = await timed(() => Promise.all(Array.from({ length: width }, worker)));
  return count / (ms / 1_000);
}

/** Processor time in ms and resident memory in MB of a process so far; nothing outside Linux. */
function costOf(pid: number | undefined): { cpuMs: number; rssMb: number } {
  try {
    let cpuMs = 0;
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      cpuMs += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]) / 1e6;
    }
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return { cpuMs, rssMb: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024 };
  } catch {
    return { cpuMs: NaN, rssMb: NaN };
  }
}

async function measure({ way, target }: Order): Promise<Findings> {
  const client = ways[way](target);
  const findings: Record<string, number> = {};
  findings["spawn to initialize, ms"] = await timed(() => client.initialize());
  const started = costOf(client.pid);
  const small = () => client.call("echo", { text: "hello" });
  const large = () => client.call("big", { bytes: largeBytes });
  await each(100, small);
  await inFlight(client, 1_000, 64);
  findings["sequential call, ms"] = median(await each(500, small));
  const before = costOf(client.pid).cpuMs;
  const calls = 5_000;
  findings["64 in flight, calls/s"] = await inFlight(client, calls, 64);
  const cpuMs = costOf(client.pid).cpuMs - before;
  await large();
  findings["5 MB result, ms"] = median(await each(7, large));
  if (client.pid !== undefined) {
    findings["CPU until initialize, ms"] = started.cpuMs;
    findings["CPU of a call at 64 in flight, ms"] = cpuMs / calls;
    findings["memory after initialize, MB"] = started.rssMb;
    findings["memory after load, MB"] = costOf(client.pid).rssMb;
  }
  await client.close();
  return findings;
}

console.log(JSON.stringify(await measure(JSON.parse(process.argv[2] ?? "{}"))));
process.exit(0);
