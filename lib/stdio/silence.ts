/**
 * A connection can be dead without anybody being told: the network changed, a router forgot it, the machine slept. All
 * that is seen is that nothing comes, which is also what an upstream looks like that has nothing to say.
 */
import { type ByteStream, readerOf } from "../base/byte_stream.ts";
import type { Clock } from "../base/clock.ts";

/** What is done about silence. */
export interface Watchdog {
  readonly clock: Clock;
  /**
   * Called every few seconds while nothing comes, with the time since something came: wall time, so that the first
   * call after the machine slept tells. A rejection ends the stream with it.
   */
  readonly onSilence: (quietMs: number) => Promise<void>;
  /** Something came, other than what a stream begins with. */
  readonly onLatePiece?: () => void;
}

const tickMs = 5_000;

/** The pieces of a body as they come, under the eyes of a watchdog; time that the reader takes does not count. */
export async function* watched(
  body: ByteStream,
  { clock, onSilence, onLatePiece }: Watchdog,
): AsyncGenerator<Uint8Array, void, void> {
  const reader = readerOf(body);
  const over = new AbortController();
  let isLate = false;
  let waitingSinceMs: number | undefined;
  let givenUp: { readonly error: unknown } | undefined;
  const watch = async () => {
    for (;;) {
      await clock.sleep(tickMs, over.signal);
      isLate = true;
      const quietMs = waitingSinceMs === undefined ? 0 : clock.now() - waitingSinceMs;
      if (quietMs >= tickMs) await onSilence(quietMs);
    }
  };
  watch().catch((error) => {
    if (over.signal.aborted) return;
    givenUp = { error };
    // A read that waits ends with it.
    return reader.cancel(error).catch(() => {});
  });
  try {
    for (;;) {
      waitingSinceMs = clock.now();
      const piece = await reader.read();
      waitingSinceMs = undefined;
      if (givenUp !== undefined) throw givenUp.error;
      if (piece === undefined) return;
      if (isLate) onLatePiece?.();
      yield piece;
    }
  } finally {
    over.abort();
    await reader.cancel().catch(() => {});
  }
}
