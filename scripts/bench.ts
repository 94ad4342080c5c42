/**
 * What the program costs, beside the upstream called directly and beside a plain Go reverse proxy without any
 * authentication, all in one run: `deno task bench [--part http|stdio] [--rounds 3] [--seconds 3] [--write]`.
 * `MCP_DOORMAN_BIN` names a binary to measure instead of the source. The CPU of a call is what survives a busy machine;
 * read the ratios.
 *
 *     upstream <- direct, floor, product -- cold start, small calls at 1, 16, 64 connections, events (how long each is
 *                                           under way; a burst), idle streams; logins with the product
 */
import { parseArgs } from "node:util";
import { load } from "./bench_http/load.ts";
import { cpuMs, rssMb } from "./bench_http/process_stat.ts";
import { type Figures, note, table } from "./bench_http/report.ts";
import { burst, eventLatencies, idleStreamKb } from "./bench_http/streams.ts";
import { startSubjects } from "./bench_http/subjects.ts";
import { setting, writeSection } from "./bench_report/section.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "3" },
    events: { type: "string", default: "10000" },
    streams: { type: "string", default: "500" },
    part: { type: "string", default: "all" },
    write: { type: "boolean", default: false },
  },
});

const logins = 30;

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
    for (const [name, coldStart] of subjects.coldStarts) {
      note(figures, "cold start, ms", name, await coldStart());
    }
    for (const subject of subjects.all) {
      const latencies = await eventLatencies(subject, 50);
      note(figures, "event under way: 50 % within, ms", subject.name, latencies[25]);
      note(figures, "event under way: 98 % within, ms", subject.name, latencies[48]);
      note(figures, "burst: events/s", subject.name, await burst(subject, Number(values.events)));
    }
  }
  for (const { name, pid } of subjects.all) note(figures, "memory after load, MB", name, rssMb(pid));
  for (const subject of subjects.all) {
    note(figures, "idle stream, KB", subject.name, await idleStreamKb(subject, Number(values.streams)));
  }
  const product = subjects.all.find(({ name }) => name === "mcp-doorman");
  const before = cpuMs(product?.pid);
  const begun = performance.now();
  for (let flow = 0; flow < logins; flow++) await subjects.logIn();
  note(figures, "logins/s", "mcp-doorman", logins / ((performance.now() - begun) / 1_000));
  note(figures, "login: CPU ms", "mcp-doorman", ((cpuMs(product?.pid) ?? NaN) - (before ?? NaN)) / logins);
  const floor = subjects.all.some(({ name }) => name.startsWith("Go")) ? "Go floor, no auth" : "direct";
  const lines = [
    table(figures, subjects.all.map(({ name }) => name), floor),
    "",
    `${failed} calls failed.`,
    ...subjects.missing.map((what) => `Not measured: ${what}.`),
  ];
  return { text: lines.join("\n"), failed };
}

async function http(): Promise<number> {
  const { text, failed } = await measure();
  console.log(text);
  if (values.write) {
    const how = `${setting(Deno.env.get("MCP_DOORMAN_BIN"))} Medians; ratios to the plain Go proxy.`;
    await writeSection("http", `## http mode\n\n${how}\n\n${text}`);
  }
  return failed;
}

async function stdio(): Promise<number> {
  const script = new URL("./bench_stdio.ts", import.meta.url).pathname;
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", script, ...(values.write ? ["--write"] : [])],
    stdin: "null",
    stdout: "inherit",
  }).output();
  return code;
}

if (!["all", "http", "stdio"].includes(values.part)) {
  console.error(`Cannot measure "${values.part}": --part is http or stdio`);
  Deno.exit(2);
}
const bad = (values.part === "stdio" ? 0 : await http()) + (values.part === "http" ? 0 : await stdio());
Deno.exit(bad > 0 ? 1 : 0);
