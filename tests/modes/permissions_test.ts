import assert from "node:assert/strict";

/** What is left of `run` and `ffi` in a program of its own that was given everything. */
async function leftAfter(call: string): Promise<string[]> {
  const module = new URL("../../lib/modes/permissions.ts", import.meta.url).href;
  const code = `import { giveBack } from ${JSON.stringify(module)}; ${call};
    console.log(["run", "ffi", "net"].map((name) => Deno.permissions.querySync({ name }).state).join(" "));`;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-prompt",
      "--no-check",
      `data:application/typescript,${encodeURIComponent(code)}`,
    ],
    stdout: "piped",
    stderr: "piped",
  }).output();
  return new TextDecoder().decode(stdout.length > 0 ? stdout : stderr).trim().split(" ");
}

Deno.test("giveBack() leaves no way to start programs unless it is needed", async () => {
  assert.deepEqual(await leftAfter("giveBack({ keepRun: false })"), ["prompt", "prompt", "granted"]);
  assert.deepEqual(await leftAfter("giveBack({ keepRun: true })"), ["granted", "prompt", "granted"]);
});
