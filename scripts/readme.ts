/**
 * Tries what the README says, as a new user would: `deno task readme`. Every command is run, in a home of its own with
 * mcp-doorman on the PATH; the examples' upstream and identity provider are a sample server and a test one.
 *
 *     console  -> run in order, the shown output is what came out
 *     sh       -> http mode starts, listens and ends; stdio mode answers an MCP client; the rest ends well
 *     jsonc    -> each client's entry is started as its client would start it
 */
import { blocksOf, commandsOf, notShown, type Step, stepsOf } from "./readme/blocks.ts";
import { newPlace } from "./readme/place.ts";
import { start } from "./readme/started.ts";

/** What needs a release that is published, a machine to install on, or a cluster; read, not run. */
const notHere = /^(docker|helm|kubectl|curl -fL|gh|cosign|sudo|tar|claude|code|codex|gemini) ?/;

await using place = await newPlace();
await using parts = new AsyncDisposableStack();
const hello = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "readme", version: "1" } },
});
let tried = 0;
const problems: string[] = [];
const left: string[] = [];

async function attempt(what: string, how: () => Promise<string[]>): Promise<void> {
  if (notHere.test(what)) return void left.push(what);
  tried++;
  const found = await how().catch((error) => [String(error)]);
  console.log(`${found.length === 0 ? "ok  " : "NOT "} ${what.slice(0, 100)}`);
  if (found.length > 0) problems.push(`${what}\n  ${found.join("\n  ")}`);
}

const readme = await Deno.readTextFile(new URL("../README.md", import.meta.url));
for (const { language, text } of blocksOf(readme)) {
  if (language === "console") {
    for (const step of stepsOf(text)) {
      await attempt(step.command, () => play(step));
    }
  }
  if (language === "sh") {
    for (const command of commandsOf(text)) {
      await attempt(command, () => run(command));
    }
  }
  if (language === "jsonc") {
    const { mcpServers } = JSON.parse(text.replaceAll(/^\s*\/\/.*$|\s\/\/ .*$/gm, ""));
    for (const [name, entry] of Object.entries<Entry>(mcpServers)) {
      await attempt(`The entry ${name}`, () => startEntry(entry));
    }
  }
}
await parts.disposeAsync();
for (const problem of problems) console.error(problem);
if (left.length > 0) {
  console.log(`Not tried here: ${left.map((command) => command.split(" ")[0]).join(", ")}`);
}
console.log(`${tried - problems.length} of ${tried} of the README's examples are right`);
Deno.exitCode = problems.length === 0 && tried > 15 ? 0 : 1;

/** A step of the session; the demo goes on running, on a free port. */
async function play({ command, shown }: Step): Promise<string[]> {
  if (command.endsWith("task demo")) {
    const demo = parts.use(start(`${repository(command)} --port=0`, place));
    const said = await demo.until(/Ctrl-C/);
    place.stands.set("http://localhost:8000", /Connector\s+(\S+)\/mcp/.exec(said)?.[1] ?? "");
    return notShown(shown.map(place.here), said);
  }
  // curl draws its progress on stderr.
  const { stdout } = await shell(place.here(command) + (command.startsWith("curl ") ? "" : " 2>&1"));
  return notShown(shown.map((line) => place.here(line).replace("~", place.home)), stdout);
}

async function run(command: string): Promise<string[]> {
  if (command.endsWith("task demo")) return [];
  if (command.endsWith("task test")) {
    const { code, stdout } = await shell(`${repository(command)} tests/base/errors_test.ts 2>&1`);
    return code === 0 && /\d+ passed, 0 failed/.test(stdout) ? [] : [stdout];
  }
  const here = place.here(command.replace(/^npx -y mcp-doorman@latest/, "mcp-doorman"));
  if (/^mcp-doorman .*(--transport http|TRANSPORT=http)/.test(here) && !here.includes(" install ")) {
    return await serve(here);
  }
  if (/^mcp-doorman (-|http)/.test(here)) return await converse(here);
  const { code, stdout } = await shell(`${here} 2>&1 </dev/null`);
  return code === 0 ? [] : [stdout];
}

/** http mode: it listens, is healthy, and ends when told to. */
async function serve(command: string): Promise<string[]> {
  await using server = start(`env MCP_PROXY_HOST=127.0.0.1 MCP_PROXY_PORT=0 ${command}`, place);
  const said = await server.until(/"msg":"listening"/);
  const { port } = JSON.parse(said.split("\n").find((line) => line.includes('"msg":"listening"')) ?? "{}");
  const answer = await fetch(`http://127.0.0.1:${port}/healthz`);
  await answer.body?.cancel();
  const code = await server.stop();
  return answer.ok && code === 0 ? [] : [`healthz ${answer.status}, exit code ${code}`];
}

/** stdio mode: an MCP client's first message is answered by the sample server. */
async function converse(command: string): Promise<string[]> {
  await using program = start(command, place);
  await program.write(hello);
  await program.until(/^\{.*"sample-server"/m);
  return [];
}

interface Entry {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

async function startEntry({ args, env = {} }: Entry): Promise<string[]> {
  const words = [...Object.entries(env).map(([name, value]) => `${name}=${value}`), "mcp-doorman", ...args];
  return await converse(`env ${words.map((word) => `'${place.here(word)}'`).join(" ")}`);
}

/** A command for the folder of the project. */
function repository(command: string): string {
  return `sh -c 'cd "${new URL("..", import.meta.url).pathname}" && exec "$@"' sh ${command}`;
}

async function shell(command: string): Promise<{ code: number; stdout: string }> {
  const { code, stdout } = await new Deno.Command("sh", {
    args: ["-c", command],
    cwd: place.home,
    clearEnv: true,
    env: place.env,
    stderr: "null",
  }).output();
  return { code, stdout: new TextDecoder().decode(stdout) };
}
