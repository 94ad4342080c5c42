/**
 * Loaded before every test file: what a test gives no log to write to is looked at all the same, at every level, so
 * that a secret shows wherever it is logged.
 */
import { type Fields, type LogLevel, silentLog } from "../../lib/base/log.ts";
import { assertNothingShown } from "./secrets.ts";

/** A JWT or JWE in whole, or credentials as they stand in a header. */
const token = /eyJ[\w-]{8,}\.[\w-]*\.[\w-]+|\b(?:Bearer|Basic) [\w+/-]{8,}/;

const shown: string[] = [];

const look = (level: LogLevel) => (event: string, fields: Fields = {}) => {
  const text = JSON.stringify({ ts: "now", level, msg: event, ...fields });
  try {
    assertNothingShown("the log", text);
    if (token.test(text)) throw new Error(`The log shows a token: ${text}`);
  } catch (error) {
    shown.push(String(error));
    throw error;
  }
};

Object.assign(silentLog, {
  trace: look("trace"),
  debug: look("debug"),
  info: look("info"),
  warn: look("warn"),
  error: look("error"),
  enabled: () => true,
});

// Whoever logs may catch what it throws.
globalThis.addEventListener("unload", () => {
  if (shown.length > 0) throw new Error(shown.join("\n"));
});
