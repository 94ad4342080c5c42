/**
 * The folder of a service's state and the secrets in it. Unlike a user's own folders (`files.ts`) it may be one that
 * others can list, as systemd makes them (0755); nobody else may write to it.
 */
import { UserError } from "./errors.ts";

/** Makes the folder (0700) where it is missing. @throws UserError when others could put files into it. */
export async function ensureStateFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new UserError(`Cannot make the folder ${path}: ${(cause as Error).message}`, { cause });
  }
  if (Deno.build.os === "windows") return;
  const { uid, mode } = await Deno.stat(path);
  const found = uid !== null && uid !== Deno.uid()
    ? `it belongs to user ${uid}, and this process runs as ${Deno.uid()}`
    : ((mode ?? 0) & 0o022) !== 0
    ? `its mode is ${((mode ?? 0) & 0o777).toString(8).padStart(4, "0")}`
    : undefined;
  if (found === undefined) return;
  throw new UserError(`Cannot use the folder ${path}: ${found}`, {
    hint: `Make it yours alone (chmod 700 ${path}) or name another one.`,
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
    // Renaming would replace what another process has made meanwhile.
    await Deno.link(temporary, path);
    return true;
  } catch (cause) {
    if (cause instanceof Deno.errors.AlreadyExists) return false;
    throw new UserError(`Cannot write ${path}: ${(cause as Error).message}`, { cause });
  } finally {
    await Deno.remove(temporary).catch(() => {});
  }
}
