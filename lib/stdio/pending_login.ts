/**
 * The login that is waiting for its callback right now, for other processes of the same user: a follower shows its
 * address, and `login --paste` brings it an answer that the browser could not deliver. It stands in a private file
 * beside the cache; whoever reads it is the user.
 */
import { readPrivateFile, removeFile, writePrivateFile } from "../base/files.ts";
import { loginFailed } from "./login_context.ts";

/** What the user is to do for a login under way. */
export interface ShownLogin {
  /** What to open. */
  readonly url: string;
  /** What to enter there (RFC 8628). */
  readonly userCode?: string;
}

/** A login that waits for a browser to come back. */
export interface PendingLogin extends ShownLogin {
  /** Where its listener is. */
  readonly redirectUri: string;
  readonly state: string;
}

/** Every login in this folder that waits for a browser. */
export function pendingLogins(dir: string): readonly PendingLogin[] {
  try {
    const names = [...Deno.readDirSync(dir)].map(({ name }) => /^login-(\w{32})\.json$/.exec(name)?.[1]);
    return names.flatMap((key) => (key === undefined ? undefined : readPending(dir, key)) ?? []);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

const pathOf = (dir: string, key: string) => `${dir}/login-${key.slice(0, 32)}.json`;

/** What to show for the login under this key; it may have ended without a word (a killed process leaves its file). */
export function readShown(dir: string, key: string): ShownLogin | undefined {
  const { url, userCode } = read(dir, key);
  if (typeof url !== "string") return undefined;
  return { url, ...(typeof userCode === "string" ? { userCode } : {}) };
}

function readPending(dir: string, key: string): PendingLogin | undefined {
  const { url, redirectUri, state } = read(dir, key);
  const known = typeof url === "string" && typeof redirectUri === "string" && typeof state === "string";
  return known ? { url, redirectUri, state } : undefined;
}

function read(dir: string, key: string): Partial<Record<keyof PendingLogin, unknown>> {
  try {
    return JSON.parse(readPrivateFile(pathOf(dir, key)) ?? "null") ?? {};
  } catch {
    return {};
  }
}

/** Takes away what a killed process left; for whoever has the lock, so that nobody shows an address that is dead. */
export function clearPending(dir: string, key: string): void {
  removeFile(pathOf(dir, key));
}

/** Says that a login waits, until the result is disposed of. */
export function announcePending(dir: string, key: string, pending: ShownLogin | PendingLogin): Disposable {
  writePrivateFile(pathOf(dir, key), JSON.stringify(pending));
  return { [Symbol.dispose]: () => removeFile(pathOf(dir, key)) };
}

/**
 * The callback that a user's paste stands for: the whole address the browser ended on, its query, or the bare code.
 * @throws UserError when it is none of these, or the answer of another login.
 */
export function pastedCallback(pending: PendingLogin, pasted: string): URL {
  const text = pasted.trim().replace(/^["'<]+|["'>]+$/g, "");
  const target = new URL(pending.redirectUri);
  const query = text.includes("=") ? text.slice(text.indexOf("?") + 1).replace(/#.*$/, "") : undefined;
  const given = new URLSearchParams(query ?? [["code", text], ["state", pending.state]]);
  if (query === undefined && !/^[\x21-\x7e]{4,4096}$/.test(text)) {
    throw notACallback("it is empty or no code");
  }
  if (!given.has("code") && !given.has("error")) throw notACallback("there is no code in it");
  if (given.get("state") !== pending.state) throw notACallback("it belongs to another login");
  target.search = given.toString();
  return target;
}

function notACallback(found: string): Error {
  return loginFailed(
    `what was pasted is not this login's answer: ${found}`,
    "Paste the whole address that the browser shows at the end, from http to the last character.",
  );
}
