import { UserError } from "../base/errors.ts";
import { nearest } from "../config/nearest.ts";
import { invocation } from "./invocation.ts";
import { commands } from "./list.ts";

/** Runs the command of that name. Throws a `UserError` when there is none. */
export async function runCommand(name: string, argv: readonly string[]): Promise<number> {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    const near = nearest(name, Object.keys(commands));
    const hint = near === undefined ? "See mcp-doorman --help" : `Did you mean ${near}?`;
    throw new UserError(`Cannot run "${name}": there is no such command`, { hint, exitCode: 2 });
  }
  const run = await command.load();
  return await run(invocation(command, argv));
}
