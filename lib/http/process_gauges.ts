import process from "node:process";
import type { Gauge } from "./metrics.ts";

/** What Prometheus' own libraries tell about a process, under their names. */
export function processGauges(): Gauge[] {
  const startedSec = Date.now() / 1_000 - performance.now() / 1_000;
  return [
    {
      name: "process_resident_memory_bytes",
      help: "Memory in use",
      read: () => Deno.memoryUsage().rss,
    },
    {
      name: "process_cpu_seconds_total",
      help: "Time on a CPU",
      read: () => {
        const { user, system } = process.cpuUsage();
        return (user + system) / 1e6;
      },
    },
    {
      name: "process_start_time_seconds",
      help: "When the process started, in seconds since the epoch",
      read: () => startedSec,
    },
  ];
}
