/** Waiting for one's turn at a grant, and showing meanwhile what the one whose turn it is waits for. */
import { openPrivateDir } from "../base/files.ts";
import type { LoginContext } from "./login_context.ts";
import { lockMachine, type MachineLock } from "./machine_lock.ts";
import { clearPending, readShown } from "./pending_login.ts";

/** How often a waiting process looks whether there is an address to show. */
const lookEveryMs = 500;

/**
 * The lock of the grant. Until it comes, the status says what the other process wants opened and entered.
 * @throws the signal's reason; UserError when the folder is not private.
 */
export async function takeTurn(context: LoginContext): Promise<MachineLock> {
  const { cache, key } = context;
  openPrivateDir(cache.dir);
  const got = new AbortController();
  const showing = showOthersLogin(context, AbortSignal.any([context.signal, got.signal]));
  try {
    const lock = await lockMachine(`${cache.dir}/login-${key.slice(0, 32)}.lock`, context.signal);
    clearPending(cache.dir, key);
    return lock;
  } finally {
    got.abort();
    await showing;
  }
}

async function showOthersLogin(context: LoginContext, signal: AbortSignal): Promise<void> {
  const { cache, clock, key, report } = context;
  let shown = "";
  report({ state: "working", doing: "waiting for another instance" });
  try {
    for (;;) {
      await clock.sleep(lookEveryMs, signal);
      const found = readShown(cache.dir, key);
      const text = JSON.stringify(found ?? "");
      if (found !== undefined && text !== shown) report({ state: "waiting_for_user", ...found });
      shown = text;
    }
  } catch {
    // It is our turn, or the end.
  }
}
