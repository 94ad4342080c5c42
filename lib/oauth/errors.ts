/**
 * What goes wrong between OAuth parties. The wire sees `code` and `description` only; `reason` is for the log and
 * the metrics. Descriptions are fixed sentences and never repeat what was sent.
 */
export class OAuthError extends Error {
  override readonly name = "OAuthError";
  /** The `error` member of RFC 6749 section 5.2 and its extensions. */
  readonly code: string;
  /** The `error_description`: a safe, printable ASCII sentence. */
  readonly description: string;
  /** The HTTP status where the answer is not a redirect. */
  readonly status: number;
  /** The private cause, a snake_case word for log and metrics such as `code_replay`. */
  readonly reason: string;
  /** Seconds for `Retry-After`. */
  readonly retryAfterSec: number | undefined;

  constructor(
    code: string,
    description: string,
    options: { status?: number; reason?: string; retryAfterSec?: number; cause?: unknown } = {},
  ) {
    super(`${code}: ${description}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.description = description;
    this.status = options.status ?? 400;
    this.reason = options.reason ?? code;
    this.retryAfterSec = options.retryAfterSec;
  }
}
