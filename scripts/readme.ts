/**
 * Tries what the README says, as a new user would: `deno task readme`. Commands of mcp-doorman and client entries are
 * run with `--check-config`; the demo is started with the very command, and the shown request gives the shown answer.
 * `task test` runs the tests already, so it is only looked for.
 */
import { baseEnv, runDoorman } from "../tests/support/process.ts";
import { startDemo } from "./readme/demo.ts";

interface Block {
  readonly language: string;
  readonly text: string;
}

const readme = await Deno.readTextFile(new URL("../README.md", import.meta.url));
const blocks: Block[] = [...readme.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)]
  .map(([, language = "", text = ""]) => ({ language, text }));

/** What stands for the secrets of the examples. */
const variables: Readonly<Record<string, string>> = {
  OIDC_CLIENT_SECRET: "a-client-secret-for-the-examples",
  API_KEY: "an-api-key-for-the-examples",
};

let tried = 0;
const problems: string[] = [];

for (const block of blocks) {
  if (block.language === "sh") { for (const command of commandsOf(block.text)) await tryCommand(command); }
  if (block.language === "jsonc") await tryEntries(block.text);
}
await trySession(blocks.find(({ text }) => text.startsWith("$ curl"))?.text ?? "");
for (const problem of problems) console.error(problem);
console.log(`${tried - problems.length} of ${tried} of the README's examples are right`);
Deno.exit(problems.length === 0 && tried > 8 ? 0 : 1);

/** The commands of a shell block: continued lines joined, comments dropped. */
function commandsOf(text: string): string[] {
  return text.replaceAll(/\\\n\s*/g, "").split("\n")
    .map((line) => line.replace(/(^|\s)#.*$/, "").trim())
    .filter((line) => line !== "");
}

async function tryCommand(command: string): Promise<void> {
  const words = wordsOf(command);
  if (words[0] === "npx") {
    tried++;
    const task = words.at(-1) ?? "";
    const { tasks } = JSON.parse(await Deno.readTextFile(new URL("../deno.json", import.meta.url)));
    if (!(task in tasks)) problems.push(`There is no task ${task}: ${command}`);
    return;
  }
  if (words[0] !== "mcp-doorman") return;
  tried++;
  if (words[1] === "doctor") return await tryDoctor(command, words.slice(1));
  const { code, stderr } = await runDoorman([...words.slice(1), "--check-config"]);
  if (code !== 0) problems.push(`${command}\n  ${stderr}`);
}

/** The doctor looks at the demo instead of the example's address, and finds it healthy. */
async function tryDoctor(command: string, words: readonly string[]): Promise<void> {
  await using demo = await startDemo();
  const { code, stdout, stderr } = await runDoorman(
    words.map((word) => word.replace("https://mcp.example.com", demo.origin)),
  );
  if (code !== 0) problems.push(`${command}\n  ${stdout}${stderr}`);
}

async function tryEntries(text: string): Promise<void> {
  const { mcpServers } = JSON.parse(text.replaceAll(/^\s*\/\/.*$|\s\/\/ .*$/gm, ""));
  for (const [name, entry] of Object.entries<{ args: string[]; env: Record<string, string> }>(mcpServers)) {
    tried++;
    const { code, stderr } = await runDoorman([...entry.args, "--check-config"], { env: entry.env });
    if (code !== 0) problems.push(`The entry ${name}: ${stderr}`);
  }
}

/** Runs the shown request at a running demo; each shown line has to come, `…` standing for anything. */
async function trySession(text: string): Promise<void> {
  tried++;
  const [, request = "", shown = ""] = /^\$ ([\s\S]*?[^\\])\n([\s\S]*)$/.exec(text) ?? [];
  await using demo = await startDemo();
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", request.replaceAll("http://localhost:8000", demo.origin)],
    env: baseEnv("/"),
    stderr: "null",
  }).output();
  const lines = new TextDecoder().decode(stdout).split(/\r?\n/);
  for (const line of shown.trim().split("\n")) {
    const pattern = line.replaceAll("http://localhost:8000", demo.origin).split("…")
      .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".*");
    if (!lines.some((found) => new RegExp(`^${pattern}$`).test(found))) problems.push(`Not shown: ${line}`);
  }
}

/** Words as a shell makes them: quotes and variables. */
function wordsOf(command: string): string[] {
  return [...command.matchAll(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g)].map(([word]) =>
    word.replaceAll(/["']/g, "").replaceAll(/\$\{?(\w+)\}?/g, (_, name: string) => variables[name] ?? "")
  );
}
