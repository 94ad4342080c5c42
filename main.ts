/**
 * The program. Decides what was asked for and loads only that: `--version` and `--help` load almost nothing, stdio
 * mode nothing of http mode. Whatever a user can act on ends here as one line per problem and an exit code.
 */
import { UserError } from "./lib/base/errors.ts";

/** Does what the arguments ask for and resolves to the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const end = argv.indexOf("--");
  const flags = end === -1 ? argv : argv.slice(0, end);
  if (flags.includes("--version") || flags.includes("-V")) {
    const { versionLine } = await import("./lib/base/version.ts");
    console.log(versionLine());
    return 0;
  }
  if (flags.includes("--help") || flags.includes("-h") || argv[0] === "help") {
    const { help } = await import("./lib/commands/help.ts");
    console.log(help(argv.filter((arg) => arg !== "help")[0]));
    return 0;
  }
  if (flags.includes("--check-config")) {
    const { checkConfig } = await import("./lib/commands/check_config.ts");
    return checkConfig(argv);
  }
  const [first = ""] = argv;
  if (/^[a-z]+$/.test(first)) {
    const { runCommand } = await import("./lib/commands/run.ts");
    return await runCommand(first, argv.slice(1));
  }
  const { loadConfig } = await import("./lib/config/config.ts");
  const config = loadConfig(argv);
  if (config.mode === "stdio") {
    const { runStdio } = await import("./lib/modes/stdio.ts");
    return await runStdio(config);
  }
  const { runHttp } = await import("./lib/modes/http.ts");
  return await runHttp(config);
}

if (import.meta.main) {
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    for (const line of error.message.split("\n")) console.error(`mcp-doorman: ${line}`);
    if (error.hint !== undefined) console.error(error.hint);
    Deno.exit(error.exitCode);
  }
}
