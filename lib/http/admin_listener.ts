/**
 * Where operators ask, beside the public listener. A place that cannot be had is no reason to keep users out: it is
 * said once, and tried again until it can be had. That somebody looks at the metrics is noticed when they are missing.
 */
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Listening, ListenOptions, ServeHandler } from "./listening.ts";
import { listen } from "./serve.ts";

const tryAgainMs = 5_000;

/** The operators' listener, which may not be up yet. */
export interface AdminListening {
  /** Absent until it listens. */
  readonly port: number | undefined;
  drain(): Promise<void>;
}

/** Listens now or later; never fails. */
export function listenAdmin(
  place: ListenOptions,
  handler: ServeHandler,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): AdminListening {
  const over = new AbortController();
  let server: Listening | undefined;
  const begin = async () => {
    for (let failed = false; !over.signal.aborted;) {
      try {
        server = listen(place, handler, log);
        log.info("metrics_listening", { address: server.hostname, port: server.port });
        return;
      } catch (error) {
        if (!failed) {
          log.error("metrics_listen_error", {
            cause: (error as Error).message,
            hint: "Give METRICS_ADDR another address, or off; until then this one is tried again",
          });
        }
        failed = true;
      }
      await clock.sleep(tryAgainMs, over.signal).catch(() => {});
    }
  };
  void begin();
  return {
    get port() {
      return server?.port;
    },
    async drain() {
      over.abort();
      await server?.drain({ deadlineMs: 1_000 });
    },
  };
}
