/** A wait with an end. `AbortSignal.any` and `.timeout` are not used: they outlive the wait, and waits are many. */

/** Runs `wait` with a signal that follows `signal` and can be aborted by itself; nothing stays behind. */
export async function following<T>(
  signal: AbortSignal,
  wait: (own: AbortController) => Promise<T>,
): Promise<T> {
  const own = new AbortController();
  const follow = () => own.abort(signal.reason);
  if (signal.aborted) follow();
  signal.addEventListener("abort", follow, { once: true });
  try {
    return await wait(own);
  } finally {
    signal.removeEventListener("abort", follow);
  }
}

/** Runs `wait` for at most `ms`; `onLimit` makes the error when they are over. */
export function within<T>(
  signal: AbortSignal,
  ms: number,
  onLimit: () => Error,
  wait: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return following(signal, async (own) => {
    let over: Error | undefined;
    const timer = setTimeout(() => own.abort(over = onLimit()), ms);
    try {
      return await wait(own.signal);
    } catch (error) {
      throw over ?? error;
    } finally {
      clearTimeout(timer);
    }
  });
}
