import { type Fields, type Logger, type LogLevel } from "../../lib/base/log.ts";
import { assertNothingShown } from "./secrets.ts";

export interface WatchedLog extends Logger {
  /** One JSON text for each event so far. */
  readonly lines: readonly string[];
  /** @throws Error when a secret is in them */
  check(): void;
}

/** A log for what runs in the test's own process: takes events of every level and shows whether one tells a secret. */
export function watchedLog(then?: Logger): WatchedLog {
  const lines: string[] = [];
  const at = (level: LogLevel, base: Fields) => (event: string, fields: Fields = {}) => {
    lines.push(JSON.stringify({ ts: "now", level, msg: event, ...base, ...fields }));
    if (level !== "fatal") then?.[level](event, { ...base, ...fields });
  };
  const levels = (base: Fields): Logger => ({
    trace: at("trace", base),
    debug: at("debug", base),
    info: at("info", base),
    warn: at("warn", base),
    error: at("error", base),
    enabled: () => true,
    with: (fields) => levels({ ...base, ...fields }),
  });
  return { ...levels({}), lines, check: () => assertNothingShown("the log", lines.join("\n")) };
}
