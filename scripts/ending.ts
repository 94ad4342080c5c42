/** What whoever started a script can mend; everything else is a fault of the script and keeps its stack. */
export class ScriptError extends Error {
  override readonly name = "ScriptError";
}

/**
 * Runs a script to its end and exits: 0, or the number it returns; 1 with one line for each line of a `ScriptError`; 2
 * with one line for a wrong command line, as `parseArgs` of `node:util` refuses it.
 */
export async function endWith(script: () => Promise<number | void>): Promise<never> {
  try {
    Deno.exit(await script() ?? 0);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const usage = (error as { code?: unknown }).code;
    const isUsage = typeof usage === "string" && usage.startsWith("ERR_PARSE_ARGS_");
    if (!isUsage && !(error instanceof ScriptError)) throw error;
    console.error(error.message);
    Deno.exit(isUsage ? 2 : 1);
  }
}
