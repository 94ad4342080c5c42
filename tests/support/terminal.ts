import { baseEnv, doormanCommand } from "./process.ts";

/** Whether a test can have a terminal here: `script` of util-linux gives one. */
export function hasTerminal(): boolean {
  if (Deno.build.os !== "linux") return false;
  try {
    return new Deno.Command("script", { args: ["--version"], stdout: "null", stderr: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
}

/** Runs mcp-doorman to its end with a terminal for stdin, stdout and stderr; gives all that was drawn there. */
export async function inTerminal(
  argv: readonly string[],
  options: { home?: string; env?: Record<string, string> } = {},
): Promise<{ code: number; output: string }> {
  const { command, args } = doormanCommand();
  const line = [command, ...args, ...argv].map((word) => `'${word}'`).join(" ");
  const { NO_COLOR: _, ...env } = baseEnv(options.home ?? "/nonexistent");
  const { code, stdout } = await new Deno.Command("script", {
    args: ["-qec", line, "/dev/null"],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
    clearEnv: true,
    env: { ...env, TERM: "xterm-256color", ...options.env },
  }).output();
  return { code, output: new TextDecoder().decode(stdout).replaceAll("\r\n", "\n") };
}
