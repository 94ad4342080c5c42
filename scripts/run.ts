import { ScriptError } from "./ending.ts";

/** Runs a program with this terminal; returns its exit code. @throws ScriptError when there is no such program */
export async function run(
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<number> {
  try {
    const { code } = await new Deno.Command(command, { args: [...args], env, stdin: "null" }).spawn().status;
    return code;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new ScriptError(`Cannot start ${command}: there is no such program`, { cause: error });
  }
}

/** Runs a program, shows its output as it comes, and returns it without colours as well. */
export async function runAndRead(
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ code: number; output: string }> {
  const child = new Deno.Command(command, {
    args: [...args],
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  })
    .spawn();
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  let output = "";
  const copy = async (from: "stdout" | "stderr") => {
    for await (const chunk of child[from]) {
      output += decoders[from].decode(chunk, { stream: true });
      for (let at = 0; at < chunk.length;) at += await Deno[from].write(chunk.subarray(at));
    }
  };
  await Promise.all([copy("stdout"), copy("stderr")]);
  const { code } = await child.status;
  // deno-lint-ignore no-control-regex -- colour codes are what is looked for
  return { code, output: output.replaceAll(/\u001b\[[0-9;]*m/g, "") };
}
