/**
 * What the pump needs to know about logging in, and all that it may know: which headers to send now, and whether a
 * refusal can be cured. Implemented by `tokens.ts` (OAuth), `static_headers.ts` (`--header`) and, for an upstream
 * without auth, by nothing more than an empty list.
 */
export interface Credentials extends AsyncDisposable {
  /**
   * The headers for the next upstream request. Waits for a login or refresh under way; the signal ends the wait.
   * @throws UserError when there is no credential and none can be had (login refused, timed out, IdP down).
   */
  headers(signal: AbortSignal): Promise<CredentialHeaders>;
  /** The same when they are at hand and nothing has to be waited for. */
  now?(): CredentialHeaders | undefined;
  /**
   * The upstream answered 401, or 403 with a challenge, to a request that carried `used`. Refreshes or logs in (once
   * for all who ask at the same time) and says whether another try makes sense.
   */
  renew(used: CredentialHeaders, refusal: Refusal, signal: AbortSignal): Promise<boolean>;
  /** Where the login stands, for the `login` tool and the log. */
  status(): LoginStatus;
  /** Resolves at the next change of `status()`. */
  changed(signal: AbortSignal): Promise<void>;
}

/** Header names and values; the same object is handed back to `renew`, so that a newer token is noticed. */
export interface CredentialHeaders {
  readonly list: readonly (readonly [name: string, value: string])[];
}

/** An upstream's refusal, its body already dropped. */
export interface Refusal {
  readonly status: 401 | 403;
  /** The `WWW-Authenticate` header. */
  readonly challenge: string | null;
}

export type LoginStatus =
  | { readonly state: "ready" }
  | { readonly state: "working"; readonly doing: string }
  | { readonly state: "waiting_for_user"; readonly url: string; readonly userCode?: string }
  | { readonly state: "failed"; readonly message: string; readonly hint?: string };
