/**
 * What stdio mode costs beside a client that talks to the upstream itself, in one run: `deno run -A
 * scripts/bench_stdio.ts [binary]`. Without a binary the source is measured.
 */
import { startUpstreamProcess } from "./bench_stdio/upstream_process.ts";
import { directClient, pumpClient, type RpcClient } from "./bench_stdio/clients.ts";
import { sdkDirectClient, sdkPumpClient } from "./bench_stdio/sdk_clients.ts";
import { processCost } from "./bench_stdio/process_cost.ts";

const binary = Deno.args.find((arg) => !arg.startsWith("--")) ?? Deno.env.get("MCP_DOORMAN_BIN");
const command = binary === undefined
  ? [Deno.execPath(), "run", "-A", "--no-prompt", new URL("../main.ts", import.meta.url).pathname]
  : [binary];
const rounds = 5;

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}

async function sequential(client: RpcClient, count: number): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < count; n++) {
    const start = performance.now();
    await client.call("echo", { text: "hello" });
    times.push(performance.now() - start);
  }
  return median(times);
}

async function inFlight(client: RpcClient, count: number, width: number): Promise<number> {
  const start = performance.now();
  let sent = 0;
  const worker = async () => {
    while (sent++ < count) await client.call("echo", { text: "hello" });
  };
  await Promise.all(Array.from({ length: width }, worker));
  return count / ((performance.now() - start) / 1_000);
}

async function large(client: RpcClient, bytes: number): Promise<number> {
  const start = performance.now();
  await client.call("big", { bytes });
  return performance.now() - start;
}

const upstream = await startUpstreamProcess();
const rows: Record<string, number[]> = {};
const note = (name: string, value: number) => (rows[name] ??= []).push(value);
for (let round = 0; round < rounds; round++) {
  const home = await Deno.makeTempDir();
  const ways = {
    "direct": () => directClient(upstream.url),
    "pump": () => pumpClient(command, upstream.url, home),
    "SDK direct": () => sdkDirectClient(upstream.url),
    "SDK pump": () => sdkPumpClient(command, upstream.url, home),
  };
  for (const [kind, open] of Object.entries(ways)) {
    const started = performance.now();
    const client = open();
    await client.initialize();
    if (client.pid !== undefined) {
      note("pump: spawn to initialize, ms", performance.now() - started);
      const { cpuMs, rssMiB } = await processCost(client.pid);
      note("pump: CPU until initialize, ms", cpuMs);
      note("pump: RSS after initialize, MiB", rssMiB);
    }
    await sequential(client, 50);
    note(`${kind}: sequential call, ms`, await sequential(client, 300));
    note(`${kind}: 64 in flight, calls/s`, await inFlight(client, 2_000, 64));
    await large(client, 5_000_000);
    note(
      `${kind}: 5 MB result, ms`,
      median([
        await large(client, 5_000_000),
        await large(client, 5_000_000),
        await large(client, 5_000_000),
      ]),
    );
    if (client.pid !== undefined) note("pump: RSS after load, MiB", (await processCost(client.pid)).rssMiB);
    await client.close();
  }
  await Deno.remove(home, { recursive: true });
}
for (const name of Object.keys(rows).sort()) {
  console.log(name.padEnd(36), median(rows[name] ?? []).toFixed(2));
}
await upstream[Symbol.asyncDispose]();
Deno.exit(0);
