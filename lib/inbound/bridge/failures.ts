/**
 * One table from cause to wire answer. The cause is what the log and the metrics say; the client and the person at
 * the browser see the fixed sentence only, never anything that was sent.
 */
import { OAuthError } from "../../oauth/errors.ts";
import { type FailureRow, failureTable } from "./failure_table.ts";

/** A cause, as log and metrics name it. */
export type Cause = keyof typeof failureTable;

/** The error for a cause. */
export function failure(
  cause: Cause,
  options: { error?: unknown; retryAfterSec?: number } = {},
): OAuthError {
  const [status, code, description] = failureTable[cause];
  return new OAuthError(code, description, {
    status,
    reason: cause,
    ...(status === 503 ? { retryAfterSec: options.retryAfterSec ?? 2 } : {}),
    ...(options.error === undefined ? {} : { cause: options.error }),
  });
}

/** What a person may do about it; `undefined` where only the application can. */
export function cureOf(error: OAuthError): string | undefined {
  if (!Object.hasOwn(failureTable, error.reason)) return undefined;
  const row: FailureRow = failureTable[error.reason as Cause];
  return row[3];
}
