import { UserError } from "../../base/errors.ts";

/** The text of a client's file; empty when it is not there. */
export async function readClientFile(file: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw unusable("read", file, error);
  }
}

/**
 * Replaces the file in one step, through symbolic links and with its mode, after a copy of it was put beside it.
 * Returns the copy's name, if there was something to copy.
 */
export async function writeClientFile(
  file: string,
  before: string,
  after: string,
): Promise<string | undefined> {
  try {
    const target = await Deno.realPath(file).catch(() => file);
    const mode = await Deno.stat(target).then((info) => info.mode ?? 0o600, () => 0o600);
    await Deno.mkdir(folderOf(target), { recursive: true });
    let backup: string | undefined;
    if (before !== "") {
      backup = `${target}.bak`;
      await Deno.writeTextFile(backup, before, { mode: 0o600 });
    }
    const temporary = `${target}.${crypto.randomUUID().slice(0, 8)}.tmp`;
    try {
      await Deno.writeTextFile(temporary, after, { mode: mode & 0o777, createNew: true });
      await Deno.rename(temporary, target);
    } catch (error) {
      await Deno.remove(temporary).catch(() => {});
      throw error;
    }
    return backup;
  } catch (error) {
    throw unusable("write", file, error);
  }
}

/** The folder of a file. */
export function folderOf(file: string): string {
  return file.replace(/[/\\][^/\\]*$/, "") || "/";
}

function unusable(doing: string, file: string, error: unknown): UserError {
  const found = error instanceof Error ? error.message : String(error);
  return new UserError(`Cannot ${doing} ${file}: ${found}`, { cause: error });
}
