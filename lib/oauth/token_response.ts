/**
 * Reads a token endpoint's answer, as oddly as they come: JSON or form-encoded whatever the content type says,
 * numbers as strings, a lifetime of 0 or none, scopes with commas, errors inside HTTP 200.
 */
import { classify, OAuthFailure } from "./failure.ts";
import { formatScope, parseLooseScope } from "./scope.ts";

/** What a token endpoint gave; times are milliseconds since the epoch. */
export interface TokenSet {
  readonly accessToken: string;
  /** Lower case; `bearer` where the server did not say. */
  readonly tokenType: string;
  readonly refreshToken?: string;
  /** As it came; nobody has verified it. */
  readonly idToken?: string;
  /** Absent: unknown, so good until it is refused. */
  readonly expiresAtMs?: number;
  readonly refreshExpiresAtMs?: number;
  /** What was granted, separated by spaces; absent: the server did not say. */
  readonly scope?: string;
}

/** The part of an answer that is judged. */
export interface RawAnswer {
  readonly status: number;
  readonly body: string;
  readonly retryAfter?: string | null;
}

/** @throws OAuthFailure when the answer is an error or makes no sense. */
export function readTokenAnswer(answer: RawAnswer, nowMs: number): TokenSet {
  const members = readMembers(answer.body);
  const accessToken = text(members?.access_token);
  if (
    answer.status < 200 || answer.status > 299 || members?.error !== undefined || accessToken === undefined
  ) {
    throw answerFailure(answer, members, "the token endpoint");
  }
  const expiresAtMs = endOf(members?.expires_in ?? members?.expires, nowMs);
  const refreshExpiresAtMs = endOf(members?.refresh_expires_in ?? members?.refresh_token_expires_in, nowMs);
  const refreshToken = text(members?.refresh_token);
  const idToken = text(members?.id_token);
  const scopes = parseLooseScope(members?.scope);
  return {
    accessToken,
    tokenType: (text(members?.token_type) ?? "bearer").toLowerCase(),
    ...(refreshToken === undefined ? {} : { refreshToken }),
    ...(idToken === undefined ? {} : { idToken }),
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
    ...(refreshExpiresAtMs === undefined ? {} : { refreshExpiresAtMs }),
    ...(scopes === undefined || scopes.length === 0 ? {} : { scope: formatScope(scopes) }),
  };
}

/** The failure that an answer of any OAuth endpoint stands for. */
export function answerFailure(
  answer: RawAnswer,
  members: Record<string, unknown> | undefined,
  asked: string,
): OAuthFailure {
  const code = errorCode(members?.error);
  const description = text(members?.error_description);
  // An error in a success is as final as the error says; a success without a token is nobody's decision.
  const failed = answer.status >= 200 && answer.status <= 299
    ? (code === undefined ? 502 : 400)
    : answer.status;
  const found = code === undefined ? `HTTP ${answer.status}` : `${code} (HTTP ${answer.status})`;
  const retryAfterSec = /^\d{1,6}$/.test(answer.retryAfter ?? "") ? Number(answer.retryAfter) : undefined;
  return new OAuthFailure(
    classify(failed, code),
    code ?? (failed === 502 && answer.status < 300 ? "bad_answer" : `http_${answer.status}`),
    `${asked} answered ${found}${description === undefined ? "" : `: ${cut(description)}`}`,
    {
      status: answer.status,
      ...(code === undefined ? {} : { code }),
      ...(retryAfterSec === undefined ? {} : { retryAfterSec }),
    },
  );
}

/** The members of a JSON object or a form; `undefined` for anything else. */
export function readMembers(body: string): Record<string, unknown> | undefined {
  const trimmed = body.trim().replace(/^\ufeff/, "");
  if (trimmed.startsWith("{")) {
    try {
      return JSON.parse(trimmed);
    } catch {
      return undefined;
    }
  }
  return /^[\w.-]+=/.test(trimmed) ? Object.fromEntries(new URLSearchParams(trimmed)) : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** Some servers send an object or free text as `error`; only what looks like a code is one. */
function errorCode(value: unknown): string | undefined {
  if (value === undefined || value === null || value === false) return undefined;
  return typeof value === "string" && /^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/.test(value)
    ? value
    : "unknown_error";
}

/** Less than a second, or an unreadable lifetime, mean that the server does not know. */
function endOf(seconds: unknown, nowMs: number): number | undefined {
  const number = typeof seconds === "string" && seconds.trim() !== "" ? Number(seconds) : seconds;
  if (typeof number !== "number" || !Number.isFinite(number) || number < 1) return undefined;
  return nowMs + Math.min(number, 3_153_600_000) * 1_000;
}

/** Some servers repeat the token or code that they refuse. */
function cut(description: string): string {
  return description.replaceAll(/[^\x20-\x7e]+/g, " ").replaceAll(/[\w.~+/=-]{40,}/g, "(…)").slice(0, 200);
}
