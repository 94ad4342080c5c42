/**
 * The program. Decides what was asked for and loads only that: `--version` loads nothing more, stdio mode nothing of
 * http mode. Whatever a user can act on ends here as one line per problem and an exit code.
 */
import { describeError, UserError } from "./lib/base/errors.ts";
import { versionLine } from "./lib/base/version.ts";

/** Does what the arguments ask for and resolves to the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const end = argv.indexOf("--");
  const flags = end === -1 ? argv : argv.slice(0, end);
  const [first = ""] = argv;
  if (flags.includes("--version") || flags.includes("-V")) {
    console.log(versionLine());
    return 0;
  }
  if (flags.includes("--help") || flags.includes("-h") || first === "help") {
    const { help, isTopic } = await import("./lib/commands/help.ts");
    const topic = first === "help" ? argv[1] : flags.find(isTopic);
    console.log(help({ ...(topic === undefined ? {} : { topic }), short: flags.includes("-h") }));
    return 0;
  }
  if (flags.includes("--check-config")) {
    const { checkConfig } = await import("./lib/commands/check_config.ts");
    return checkConfig(argv);
  }
  if (/^[a-z][a-z-]*$/.test(first)) {
    const { runCommand } = await import("./lib/commands/run.ts");
    return await runCommand(first, argv.slice(1));
  }
  const { runMode } = await import("./lib/modes/start.ts");
  return await runMode(argv);
}

/** One line for each thing that is wrong, on stderr; the exit code. */
function report(error: unknown): number {
  if (error instanceof UserError) {
    for (const line of error.message.split("\n")) console.error(`mcp-doorman: ${line}`);
    if (error.hint !== undefined) console.error(error.hint);
    return error.exitCode;
  }
  console.error(`mcp-doorman: Cannot go on: ${describeError(error)}`);
  if (Deno.args.includes("--debug") && error instanceof Error) console.error(error.stack);
  else console.error("This should not happen; --debug shows where it did.");
  return 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args).catch(report));
