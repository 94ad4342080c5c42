/**
 * Files that hold secrets: made 0600 in folders made 0700, and read only when nobody else could have written or read
 * them. On Windows the profile folder's access list does that, so only the kind of file is checked there.
 */
import { UserError } from "./errors.ts";

const posix = Deno.build.os !== "windows";

/** Why a file or folder may not be used for secrets; `undefined` when it may. */
function unsafe(info: Deno.FileInfo, kind: "file" | "folder"): string | undefined {
  if (info.isSymlink) return "it is a symbolic link";
  if (kind === "file" ? !info.isFile : !info.isDirectory) return `it is not a ${kind}`;
  if (!posix) return undefined;
  if (info.uid !== null && info.uid !== Deno.uid()) {
    return `it belongs to user ${info.uid}, and this process runs as ${Deno.uid()}`;
  }
  const mode = info.mode ?? 0;
  // Others may list a folder that is not theirs, but must not be able to put a file into it.
  const forbidden = kind === "file" ? 0o077 : 0o022;
  if ((mode & forbidden) !== 0) return `its mode is ${(mode & 0o777).toString(8).padStart(4, "0")}`;
  return undefined;
}

/** Makes the folder (0700) where it is missing. @throws UserError when others could write to it. */
export async function ensurePrivateFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new UserError(`Cannot make the folder ${path}: ${(cause as Error).message}`, { cause });
  }
  const reason = unsafe(await Deno.stat(path), "folder");
  if (reason !== undefined) {
    throw new UserError(`Cannot use the folder ${path}: ${reason}`, {
      hint: `Make it yours alone (chmod 700 ${path}) or name another one.`,
    });
  }
}

/** The file's text, or `undefined` where there is none. @throws UserError when somebody else could have touched it. */
export async function readPrivateFile(path: string): Promise<string | undefined> {
  let before: Deno.FileInfo;
  try {
    before = await Deno.lstat(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw new UserError(`Cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
  let reason = unsafe(before, "file");
  if (reason === undefined) {
    using file = await Deno.open(path);
    const opened = await file.stat();
    // Between the look and the opening it may have been replaced.
    if (opened.ino === before.ino && opened.dev === before.dev) {
      return await new Response(file.readable).text();
    }
    reason = "it was replaced while it was opened";
  }
  throw new UserError(`Cannot use ${path}: ${reason}`, {
    hint: `Only its owner may read it (chmod 600 ${path}); if you did not make it, remove it.`,
  });
}

/**
 * Makes the file (0600) with its whole text at once, unless it exists: of several processes that try, one wins and
 * nobody sees half a file. Says whether this call made it.
 */
export async function createPrivateFile(path: string, text: string): Promise<boolean> {
  const temporary = `${path}.${crypto.randomUUID()}`;
  try {
    using file = await Deno.open(temporary, { createNew: true, write: true, mode: 0o600 });
    await file.write(new TextEncoder().encode(text));
    await file.sync();
    await Deno.link(temporary, path);
    return true;
  } catch (cause) {
    if (cause instanceof Deno.errors.AlreadyExists) return false;
    throw new UserError(`Cannot write ${path}: ${(cause as Error).message}`, { cause });
  } finally {
    await Deno.remove(temporary).catch(() => {});
  }
}
