/**
 * Where our files live and how private they are. A private folder is 0700 and a private file 0600, both ours and
 * neither a symlink; whatever is found otherwise is refused with the reason, never repaired in silence, since
 * somebody may already have read it. Windows has no such modes; there the user's profile folder protects.
 */
import { UserError } from "./errors.ts";

/** Reads one environment variable; empty counts as unset. */
export type Env = (name: string) => string | undefined;

type Os = typeof Deno.build.os;

const folder = "mcp-doorman";

/** Joins with a slash, which Windows reads as well; `node:path` would cost start-up time. */
const join = (...parts: string[]): string => parts.join("/");

/** The folder of stdio mode's token cache: `$XDG_CACHE_HOME` or `~/.cache`, on Windows `%LOCALAPPDATA%`. */
export function defaultCacheDir(env: Env, os: Os = Deno.build.os): string {
  return join(userDir(env, os, "XDG_CACHE_HOME", ".cache"), folder);
}

/** The folder of http mode's state: `STATE_DIRECTORY`, else `$XDG_STATE_HOME` or `~/.local/state`, on Windows `%LOCALAPPDATA%`. */
export function defaultStateDir(env: Env, os: Os = Deno.build.os): string {
  // systemd hands over several folders separated by colons; the first is ours.
  const given = env("STATE_DIRECTORY")?.split(os === "windows" ? ";" : ":")[0];
  return given ? given : join(userDir(env, os, "XDG_STATE_HOME", ".local/state"), folder);
}

/** The user's home folder. @throws UserError when the environment names none. */
export function homeDir(env: Env, os: Os = Deno.build.os): string {
  const home = os === "windows" ? env("USERPROFILE") ?? env("HOME") : env("HOME");
  if (home) return home;
  throw new UserError("Cannot find your home folder: the variable HOME is not set", {
    hint: "Set HOME, or name the cache folder yourself.",
  });
}

function userDir(env: Env, os: Os, variable: string, fallback: string): string {
  if (os === "windows") return env("LOCALAPPDATA") ?? join(homeDir(env, os), "AppData", "Local");
  const given = env(variable);
  // The XDG base directory specification: a relative path is invalid and to be ignored.
  return given?.startsWith("/") ? given : join(homeDir(env, os), fallback);
}

/** Makes the folder 0700 if it is not there, else checks it. @throws UserError */
export function openPrivateDir(dir: string): void {
  if (Deno.build.os !== "windows" && statOf(dir) === undefined) {
    writing(dir, () => Deno.mkdirSync(dir, { recursive: true, mode: 0o700 }));
  } else if (Deno.build.os === "windows") {
    writing(dir, () => Deno.mkdirSync(dir, { recursive: true }));
  }
  checkPrivate(dir, "folder");
}

/**
 * Refuses what others could read or have put there. Says `false` when there is nothing.
 * @throws UserError with the reason and the command that mends it.
 */
export function checkPrivate(path: string, kind: "folder" | "file"): boolean {
  const found = statOf(path);
  if (found === undefined) return false;
  const refuse = (why: string, hint: string): never => {
    throw new UserError(`Cannot use the ${kind} "${path}": ${why}`, { hint });
  };
  if (found.isSymlink) refuse("it is a symbolic link", "Remove the link, or name the real folder.");
  if (kind === "folder" ? !found.isDirectory : !found.isFile) refuse(`it is not a ${kind}`, "Move it away.");
  if (Deno.build.os === "windows") return true;
  if (found.uid !== null && found.uid !== Deno.uid()) {
    refuse(
      `it belongs to user ${found.uid}, not to you (${Deno.uid()})`,
      "Move it away, or run as its owner.",
    );
  }
  const mode = (found.mode ?? 0) & 0o777;
  if ((mode & 0o077) !== 0) {
    const wanted = kind === "folder" ? "700" : "600";
    refuse(
      `others may open it (mode ${mode.toString(8).padStart(4, "0")})`,
      `Run: chmod ${wanted} "${path}"; log in anew if somebody may have read it.`,
    );
  }
  return true;
}

/** A private file's text, or `undefined` when there is none. @throws UserError when it is not private. */
export function readPrivateFile(path: string): string | undefined {
  return checkPrivate(path, "file") ? Deno.readTextFileSync(path) : undefined;
}

/** Creates an empty private file unless there is one, and checks it. @throws UserError */
export function ensurePrivateFile(path: string): void {
  if (checkPrivate(path, "file")) return;
  writing(path, () => Deno.openSync(path, { write: true, create: true, mode: 0o600 }).close());
}

/** Replaces a private file as a whole: a reader sees the old or the new text, never a part. @throws UserError */
export function writePrivateFile(path: string, content: string | Uint8Array): void {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  writing(path, () => {
    try {
      const file = Deno.openSync(temporary, { write: true, createNew: true, mode: 0o600 });
      try {
        for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
        file.syncSync();
      } finally {
        file.close();
      }
      Deno.renameSync(temporary, path);
    } catch (error) {
      removeFile(temporary);
      throw error;
    }
  });
}

/** Removes a file; nothing happens when it is gone already. */
export function removeFile(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function statOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new UserError(`Cannot look at "${path}": ${(error as Error).message}`, { cause: error });
  }
}

function writing(path: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    throw new UserError(`Cannot write "${path}": ${(error as Error).message}`, {
      hint: "Check that the folder exists, is yours and that the disk is not full.",
      cause: error,
    });
  }
}
