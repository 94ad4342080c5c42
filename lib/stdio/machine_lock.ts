/**
 * One of many processes of this machine at a time. The system frees the lock when its holder ends, however it ends,
 * so nothing is ever stale: no process ids, no ages. The locked file is a separate one that holds nothing, since
 * Windows locks keep others from reading.
 */
import { ensurePrivateFile } from "../base/files.ts";

/** A held lock; disposing of it lets the next one in. */
export type MachineLock = Disposable;

/** The last in line for each file in this process. Deno has few threads that may block: only one waits in the system. */
const lines = new Map<string, Promise<void>>();

/**
 * Waits for the lock on a file that is made when missing.
 * @throws the signal's reason when aborted first; UserError when the file is not private.
 */
export async function lockMachine(path: string, signal?: AbortSignal): Promise<MachineLock> {
  const before = lines.get(path);
  const turn = Promise.withResolvers<void>();
  const line = (before ?? Promise.resolve()).then(() => turn.promise);
  lines.set(path, line);
  line.then(() => lines.get(path) === line && lines.delete(path));
  try {
    await orAborted(before, signal);
    const unlock = await lockFile(path, signal, turn.resolve);
    return { [Symbol.dispose]: unlock };
  } catch (error) {
    turn.resolve();
    throw error;
  }
}

/** The system's lock; the function it resolves to gives it back and calls `freed`. */
async function lockFile(
  path: string,
  signal: AbortSignal | undefined,
  freed: () => void,
): Promise<() => void> {
  ensurePrivateFile(path);
  const file = await Deno.open(path, { read: true, write: true });
  const release = () => {
    try {
      file.unlockSync();
    } finally {
      file.close();
      freed();
    }
  };
  // The wait itself cannot be taken back (Deno 2.6 has no tryLock): whoever gave up frees the lock once it comes.
  const locked = file.lock(true);
  try {
    await orAborted(locked, signal);
    return release;
  } catch (error) {
    locked.then(release, () => file.close());
    throw error;
  }
}

/** The promise, or the signal's reason when that comes first. */
async function orAborted(promise: Promise<void> | undefined, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  if (signal === undefined) return await promise;
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
