/** Our own JSON-RPC errors: what the host is told when the upstream gave no answer to a request. */
import { safeUrl } from "../base/log.ts";
import { cleanText } from "../base/log_line.ts";

/**
 * What went wrong. The codes stay outside of what JSON-RPC and MCP reserve (-32768 to -32000), so that no host takes
 * one for a statement of the upstream, except where JSON-RPC itself defines one for the case.
 */
export const codes = {
  notJson: -32700,
  notAMessage: -32600,
  unreachable: -31001,
  badAnswer: -31002,
  noCredentials: -31003,
  streamBroken: -31004,
  tooLong: -31005,
  timedOut: -31006,
  refused: -31007,
  overloaded: -31008,
} as const;

/** A request could not be answered; becomes its JSON-RPC error. */
export class Unanswered extends Error {
  override readonly name = "Unanswered";
  readonly hint: string | undefined;
  readonly httpStatus: number | undefined;
  /** The request cannot have been acted upon, so that sending it again is safe. */
  readonly neverReached: boolean;

  constructor(
    readonly code: number,
    message: string,
    options: { hint?: string | undefined; httpStatus?: number; neverReached?: boolean; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.hint = options.hint;
    this.httpStatus = options.httpStatus;
    this.neverReached = options.neverReached ?? false;
  }
}

const encoder = new TextEncoder();

/** The error as a message; `id` is the raw JSON text of the request's id. */
export function errorMessage(id: string, error: Unanswered, upstream?: URL): Uint8Array<ArrayBuffer> {
  const hint = error.hint;
  const message = cleanText(error.message) + (hint === undefined ? "" : `. ${hint}`);
  const data = JSON.stringify({
    cause: cleanText(error.message),
    hint,
    httpStatus: error.httpStatus,
    upstream: upstream === undefined ? undefined : safeUrl(upstream),
    from: "mcp-doorman",
  });
  const body = `{"code":${error.code},"message":${JSON.stringify(message)},"data":${data}}`;
  return encoder.encode(`{"jsonrpc":"2.0","id":${id},"error":${body}}`);
}
