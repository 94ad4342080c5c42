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
  const how = `${setting(Deno.env.get("MCP_DOORMAN_BIN"))} Medians of ${values.rounds} rounds.`;
  await writeSection("stdio", `## stdio mode\n\n${how}\n\n${text}`);
}
