/** What a build says of itself; see `lib/base/version.ts`. */
export interface Stamp {
  readonly version: string;
  readonly commit: string;
  readonly date: string;
  readonly builder: string;
}

/** From deno.json, git and `SOURCE_DATE_EPOCH`; the same commit gives the same stamp. `BUILDER` names who builds. */
export async function readStamp(): Promise<Stamp> {
  const { version } = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
  const epoch = Deno.env.get("SOURCE_DATE_EPOCH") ?? await git("log", "-1", "--format=%ct");
  const changed = await git("status", "--porcelain", "--untracked-files=no");
  const commit = await git("rev-parse", "--short=12", "HEAD");
  return {
    version,
    commit: commit === undefined ? "unknown" : changed === "" ? commit : `${commit}+changes`,
    date: epoch === undefined ? "" : new Date(Number(epoch) * 1000).toISOString(),
    builder: Deno.env.get("BUILDER") ?? "hand",
  };
}

async function git(...args: string[]): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command("git", { args, stderr: "null" }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch {
    return undefined;
  }
}
