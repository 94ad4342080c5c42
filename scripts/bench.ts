/**
 * What the program costs, beside the upstream called directly and beside a plain Go reverse proxy without any
 * authentication, all in one run: `deno task bench [--rounds 3] [--seconds 3] [--write]`. `MCP_DOORMAN_BIN` names a
 * binary to measure instead of the source. The CPU of a call is what survives a busy machine; read the ratios.
 *
 *     upstream <- direct, floor, product -- small calls at 1, 16, 64 connections, a burst of events, idle streams
 */
import { parseArgs } from "node:util";
import { load } from "./bench_http/load.ts";
import { cpuMs, rssMb } from "./bench_http/process_stat.ts";
import { type Figures, note, table } from "./bench_http/report.ts";
import { burst, idleStreamKb } from "./bench_http/streams.ts";
import { startSubjects } from "./bench_http/subjects.ts";
import { setting, writeSection } from "./bench_report/section.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "3" },
    events: { type: "string", default: "10000" },
    streams: { type: "string", default: "500" },
    write: { type: "boolean", default: false },
  },
});

async function measure(): Promise<{ readonly text: string; readonly failed: number }> {
  await using subjects = await startSubjects();
  const figures: Figures = new Map();
  let failed = 0;
  for (const { name, pid } of subjects.all) note(figures, "idle memory, MB", name, rssMb(pid));
  for (const { port, token } of subjects.all) {
    await load(port, { connections: 8, seconds: 1, ...(token === undefined ? {} : { token }) });
  }
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const connections of [1, 16, 64]) {
      for (const { name, port, pid, token } of subjects.all) {
        const before = cpuMs(pid);
        const seconds = Number(values.seconds);
        const result = await load(port, { connections, seconds, ...(token === undefined ? {} : { token }) });
        const after = cpuMs(pid);
        failed += result.failed;
        note(figures, `c=${connections}: calls/s`, name, result.perSec);
        note(figures, `c=${connections}: p50 ms`, name, result.p50);
        note(figures, `c=${connections}: p99 ms`, name, result.p99);
        if (before !== undefined && after !== undefined) {
          note(figures, `c=${connections}: CPU ms/call`, name, (after - before) / result.calls);
        }
      }
    }
    for (const subject of subjects.all) {
      note(figures, "burst: events/s", subject.name, await burst(subject, Number(values.events)));
    }
  }
  for (const { name, pid } of subjects.all) note(figures, "memory after load, MB", name, rssMb(pid));
  for (const subject of subjects.all) {
    note(figures, "idle stream, KB", subject.name, await idleStreamKb(subject, Number(values.streams)));
  }
  const floor = subjects.all.some(({ name }) => name.startsWith("Go")) ? "Go floor, no auth" : "direct";
  const lines = [
    table(figures, subjects.all.map(({ name }) => name), floor),
    "",
    `${failed} calls failed.`,
    ...subjects.missing.map((what) => `Not measured: ${what}.`),
  ];
  return { text: lines.join("\n"), failed };
}

const { text, failed } = await measure();
console.log(text);
if (values.write) {
  const how = `${setting(Deno.env.get("MCP_DOORMAN_BIN"))} Medians; ratios to the plain Go proxy.`;
  await writeSection("http", `## http mode\n\n${how}\n\n${text}`);
}
const stdio = new URL("./bench_stdio.ts", import.meta.url).pathname;
await new Deno.Command(Deno.execPath(), {
  args: ["run", "-A", stdio, ...(values.write ? ["--write"] : [])],
  stdin: "null",
  stdout: "inherit",
}).output();
Deno.exit(failed > 0 ? 1 : 0);
