import { type Fields, type Logger, type LogLevel, silentLog } from "../../lib/base/log.ts";
import { assertNothingShown } from "./secrets.ts";

export interface WatchedLog extends Logger {
  /** One JSON text for each event so far. */
  readonly lines: readonly string[];
  /** @throws Error when a secret is in them */
  check(): void;
}

type Level = Exclude<LogLevel, "fatal">;
type Hear = (event: string, fields?: Fields) => void;

/** A log that takes events of every level. */
export function loggerOf(
  say: (level: Level, event: string, fields: Fields) => void,
  base: Fields = {},
): Logger {
  const at = (level: Level): Hear => (event, fields) => say(level, event, { ...base, ...fields });
  return {
    trace: at("trace"),
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    enabled: () => true,
    with: (fields) => loggerOf(say, { ...base, ...fields }),
  };
}

export function asLine(level: Level, event: string, fields: Fields): string {
  return JSON.stringify({ ts: "now", level, msg: event, ...fields });
}

/** A log for what runs in the test's own process: shows whether an event tells a secret. */
export function watchedLog(then?: Logger): WatchedLog {
  const lines: string[] = [];
  const log = loggerOf((level, event, fields) => {
    lines.push(asLine(level, event, fields));
    then?.[level](event, fields);
  });
  return { ...log, lines, check: () => assertNothingShown("the log", lines.join("\n")) };
}

/** A log of which a test hears some levels; all of them are looked at as those of `silentLog` are. */
export function heardLog(hear: Partial<Record<Level, Hear>>): Logger {
  return loggerOf((level, event, fields) => {
    silentLog[level](event, fields);
    hear[level]?.(event, fields);
  });
}
