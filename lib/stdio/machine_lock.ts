/**
 * One of many processes of this machine at a time. The system frees the lock when its holder ends, however it ends,
 * so nothing is ever stale: no process ids, no ages. The locked file is a separate one that holds nothing, since
 * Windows locks keep others from reading.
 */
import { ensurePrivateFile } from "../base/files.ts";

/** A held lock; disposing of it lets the next one in. */
export type MachineLock = Disposable;

/**
 * Waits for the lock on a file that is made when missing.
 * @throws the signal's reason when aborted first; UserError when the file is not private.
 */
export async function lockMachine(path: string, signal?: AbortSignal): Promise<MachineLock> {
  signal?.throwIfAborted();
  ensurePrivateFile(path);
  const file = await Deno.open(path, { read: true, write: true });
  const release = () => {
    try {
      file.unlockSync();
    } finally {
      file.close();
    }
  };
  // The wait itself cannot be taken back (Deno 2.6 has no tryLock): whoever gave up frees the lock once it comes.
  const locked = file.lock(true);
  try {
    await (signal === undefined ? locked : Promise.race([locked, aborted(signal)]));
  } catch (error) {
    locked.then(release, () => file.close());
    throw error;
  }
  return { [Symbol.dispose]: release };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
