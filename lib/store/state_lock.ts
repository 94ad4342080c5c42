import { join } from "node:path";
import { UserError } from "../base/errors.ts";
import { ensureStateFolder } from "../base/state_folder.ts";

/**
 * Holds the state folder for this process until disposed of; the system frees it when the process dies. Waits `waitMs`
 * for a predecessor that is on its way out.
 * @throws UserError when another process holds it.
 */
export async function lockStateFolder(folder: string, waitMs = 3_000): Promise<Disposable> {
  await ensureStateFolder(folder);
  // A file of its own: on Windows nobody else can even read a locked file.
  const path = join(folder, "lock");
  const file = await Deno.open(path, { create: true, read: true, write: true, mode: 0o600 });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<"timeout">((resolve) => timer = setTimeout(() => resolve("timeout"), waitMs));
  // tryLock() is missing in Deno 2.6; lock() waits without limit.
  const locked = file.lock(true);
  const outcome = await Promise.race([locked, timeout]);
  clearTimeout(timer);
  if (outcome !== "timeout") return { [Symbol.dispose]: () => file.close() };
  // The wait goes on in the system; what it gets too late is given back.
  locked.then(() => file.close(), () => {});
  throw new UserError(`Cannot use the state folder ${folder}: another mcp-doorman process uses it`, {
    hint:
      "Stop the other one or give this one its own folder; several processes share one state through REDIS_URL.",
  });
}
