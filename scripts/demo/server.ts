/** The sample MCP server alone: `deno run -A scripts/demo/server.ts [--hostname=127.0.0.1] [--port=3000]`. */
import { parseArgs } from "node:util";
import { startUpstream } from "../../tests/fakes/upstream.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: { hostname: { type: "string", default: "127.0.0.1" }, port: { type: "string", default: "3000" } },
});
const server = startUpstream({ name: "sample-server", hostname: values.hostname, port: Number(values.port) });
console.log(`Sample MCP server at ${server.url}`);
