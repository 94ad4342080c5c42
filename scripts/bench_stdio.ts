/**
 * What stdio mode costs beside a client that talks to the upstream itself, in one run: `deno run -A
 * scripts/bench_stdio.ts [--rounds 5] [--write]`. `MCP_DOORMAN_BIN` names a binary to measure instead of the source.
 *
 *     client -> upstream            three clients: node:http, the SDK, fetch
 *     client -> stdio -> upstream   the same client's runtime, with the program in between
 */
import { parseArgs } from "node:util";
import { setting, writeSection } from "./bench_report/section.ts";
import { bundleDriver, drive, type Runtime, versionOf } from "./bench_stdio/drivers.ts";
import { type Pair, report } from "./bench_stdio/report.ts";
import { startUpstreamProcess } from "./bench_stdio/upstream_process.ts";
import { warmStart } from "./bench_stdio/warm_start.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: { rounds: { type: "string", default: "5" }, write: { type: "boolean", default: false } },
});

/** Which client says what. */
const explanation =
  "Each client calls a small JSON upstream itself (direct) and through stdio mode, in turns. The bounds are judged by " +
  "`node:http` over kept connections with a token: a plain HTTP client in the runtime that hosts of stdio servers are " +
  "written in, with the same JSON parser on both sides. They are: a sequential call adds less than 0.5 ms; with 64 in " +
  "flight at least the direct rate; 5 MB in less than 1.3 times the direct time; `initialize` within 100 ms of processor " +
  "time, less than 65 MB then and less than 110 MB after the load. The other clients are there for comparison: the " +
  "SDK's is what most hosts use (its HTTP transport is slow with many calls in flight, its stdio transport with large " +
  "lines, whatever is on the other end), and Deno's fetch is a client without JavaScript on its way.";

await using upstream = await startUpstreamProcess();
await using target = await warmStart(upstream.url);
await using driver = await bundleDriver();
const versions = { node: await versionOf("node"), deno: await versionOf("deno") };

function pair(
  runtime: Runtime,
  name: string,
  direct: Pair["direct"]["way"],
  through: Pair["through"]["way"],
) {
  const client = `${name}, ${versions[runtime]}`;
  return { client, runtime, direct: { way: direct, all: [] }, through: { way: through, all: [] } };
}

const pairs: Pair[] = [
  ...(versions.node === undefined ? [] : [
    pair("node", "`node:http`", "http", "through stdio"),
    pair("node", "SDK", "sdk", "sdk through stdio"),
  ]),
  pair("deno", "fetch", "fetch", "through stdio"),
];
for (let round = 0; round < Number(values.rounds); round++) {
  for (const { runtime, direct, through } of pairs) {
    for (const side of [direct, through]) {
      side.all.push(await drive(runtime, driver.path, { way: side.way, target }));
    }
  }
}
const text = report(pairs);
console.log(text);
if (versions.node === undefined) console.log("Not measured: the clients in Node (it is not installed).");
if (values.write) {
  const how = `${
    setting(Deno.env.get("MCP_DOORMAN_BIN"))
  } Medians of ${values.rounds} rounds, and of their ratios.`;
  await writeSection("stdio", `## stdio mode\n\n${how}\n\n${explanation}\n\n${text}`);
}
