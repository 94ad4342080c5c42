import type { Clock } from "../base/clock.ts";
import { UserError } from "../base/errors.ts";
import type { HttpClient } from "../base/http_client.ts";
import type { Logger } from "../base/log.ts";
import type { ServerMetadata } from "../oauth/server_metadata.ts";
import type { LoginConfig } from "./config.ts";
import type { LoginStatus } from "./credentials.ts";
import type { TokenCache } from "./token_cache.ts";

/** What every step of getting a token is handed. */
export interface LoginContext {
  readonly upstreamUrl: URL;
  readonly config: LoginConfig;
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly cache: TokenCache;
  /** Writes a line for the user, on stderr whatever the log level. */
  readonly print: (line: string) => void;
  /** Says where the login stands. */
  readonly report: (status: LoginStatus) => void;
  /** What the grant is kept under; names the files of its lock and its login. */
  readonly key: string;
  /** The end of the program, or of the command. */
  readonly signal: AbortSignal;
}

/** Where to log in and what to ask for there. */
export interface Door {
  readonly server: ServerMetadata;
  /** Empty: ask for none, the server knows best. */
  readonly scopes: readonly string[];
  /** To be sent as `resource` (RFC 8707), to the letter. */
  readonly resource?: string;
  /** Nothing is published; the server's endpoints are where MCP of 2025-03-26 says they would be. */
  readonly guessed?: boolean;
}

/** A login that did not happen, in a sentence for the user. */
export function loginFailed(found: string, hint?: string, cause?: unknown): UserError {
  return new UserError(`Cannot log in: ${found}`, { ...(hint === undefined ? {} : { hint }), cause });
}
