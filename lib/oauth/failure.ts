/**
 * The one judgement of what an authorization server answered, or that it did not answer. Everything that decides
 * whether a token may be thrown away rests on it.
 *
 *     network, time limit, 5xx, 429, 403/404 and the like, answers that make no sense -> transient: keep everything
 *     400 or 401, and any answer that carries an OAuth error other than a temporary one  -> dead
 */

/** `dead`: the grant or the request is refused for good. `transient`: ask again later, throw nothing away. */
export type FailureKind = "dead" | "transient";

/** Another party's refusal or silence. */
export class OAuthFailure extends Error {
  override readonly name = "OAuthFailure";
  readonly kind: FailureKind;
  /** A snake_case word for log and metrics: the OAuth error code, or `unreachable`, `http_503`, `bad_answer`… */
  readonly reason: string;
  /** The `error` member of RFC 6749 section 5.2, if there was one. */
  readonly code: string | undefined;
  readonly status: number | undefined;
  /** From `Retry-After`, where it was in seconds. */
  readonly retryAfterSec: number | undefined;

  constructor(
    kind: FailureKind,
    reason: string,
    message: string,
    details: { code?: string; status?: number; retryAfterSec?: number; cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = kind;
    this.reason = reason;
    this.code = details.code;
    this.status = details.status;
    this.retryAfterSec = details.retryAfterSec;
  }
}

/** Errors that say nothing about the grant; `slow_down` and `authorization_pending` belong to RFC 8628. */
const temporaryCodes: readonly string[] = [
  "temporarily_unavailable",
  "server_error",
  "slow_down",
  "authorization_pending",
];

/** The client's own credentials were refused, which a new registration or the operator can cure. */
const clientCodes: readonly string[] = ["invalid_client", "unauthorized_client"];

/** Judges an HTTP answer that is not a success, or a success that carries an error. */
export function classify(status: number, code: string | undefined): FailureKind {
  if (status >= 500 || status === 429) return "transient";
  if (code !== undefined) return temporaryCodes.includes(code) ? "transient" : "dead";
  return status === 400 || status === 401 ? "dead" : "transient";
}

/** True when it was the client, not the grant, that was refused. */
export function isClientRefused(failure: OAuthFailure): boolean {
  return failure.code !== undefined && clientCodes.includes(failure.code);
}

/** A failure made of anything thrown while asking; what is thrown by a missing answer is transient. */
export function asFailure(error: unknown, asking: string): OAuthFailure {
  if (error instanceof OAuthFailure) return error;
  const found = error instanceof Error ? error.message : String(error);
  return new OAuthFailure("transient", "unreachable", `Cannot reach ${asking}: ${found}`, { cause: error });
}
