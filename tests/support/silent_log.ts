/**
 * Loaded before every test file: what a test gives no log to write to is looked at all the same, at every level, so
 * that a secret shows wherever it is logged; and so is what the test's own process prints.
 */
import { silentLog } from "../../lib/base/log.ts";
import { assertNothingShown } from "./secrets.ts";
import { asLine, loggerOf } from "./watched_log.ts";

const shown: string[] = [];

function look(where: string, text: string): void {
  try {
    assertNothingShown(where, text);
  } catch (error) {
    shown.push(String(error));
    throw error;
  }
}

Object.assign(silentLog, loggerOf((level, event, fields) => look("the log", asLine(level, event, fields))));

for (const to of ["debug", "log", "info", "warn", "error"] as const) {
  const print = console[to].bind(console);
  console[to] = (...parts: unknown[]) => {
    look("the console", parts.join(" "));
    print(...parts);
  };
}

// Whoever logs may catch what it throws.
globalThis.addEventListener("unload", () => {
  if (shown.length > 0) throw new Error(shown.join("\n"));
});
