/**
 * `token_refresh.log` in the cache folder: what became of the tokens over all processes, for whoever wonders why they
 * were asked to log in. A line has time, process, event and names; never a token.
 */
import { ensurePrivateFile } from "../base/files.ts";
import { cleanText } from "../base/log_line.ts";
import type { LoginContext } from "./login_context.ts";

/** What happened to a grant. */
export type TokenEvent = "logged_in" | "login_failed" | "refreshed" | "refresh_refused" | "refresh_failed";

const maxBytes = 256 * 1024;

/** Adds a line; the file of before is kept once when it grows too long. A log that cannot be written harms nobody. */
export function noteTokenEvent(context: LoginContext, event: TokenEvent, cause?: string): void {
  const { cache, clock, config, log, upstreamUrl } = context;
  const path = `${cache.dir}/token_refresh.log`;
  const fields = {
    time: new Date(clock.now()).toISOString(),
    pid: Deno.pid,
    event,
    upstream: upstreamUrl.host,
    profile: config.profile,
    ...(cause === undefined ? {} : { cause: cleanText(cause) }),
  };
  try {
    ensurePrivateFile(path);
    if (Deno.statSync(path).size > maxBytes) Deno.renameSync(path, `${path}.old`);
    Deno.writeTextFileSync(path, JSON.stringify(fields) + "\n", { append: true, create: true, mode: 0o600 });
  } catch (error) {
    log.debug("token_log_not_written", { cause: error instanceof Error ? error.message : String(error) });
  }
}
