import type { Hono } from "hono";
import type { Caller } from "../oauth/caller.ts";
import type { OAuthError } from "../oauth/errors.ts";

/** How MCP clients get in: the shape of the OAuth front. The list of shapes is in `shapes.ts`. */
export interface Inbound extends AsyncDisposable {
  /** Who everybody is where nobody is asked who they are; whatever credentials they send is not looked at. */
  readonly anybody?: Caller;
  /** Adds the public endpoints, each an exact path; nothing here needs a bearer token. */
  mount(app: Hono): void;
  /** @throws OAuthError `invalid_token` (401), `insufficient_scope` (403) or `temporarily_unavailable` (503). */
  authenticate(bearer: string): Promise<Caller>;
  /** The `WWW-Authenticate` value; without an error where no credentials were sent (RFC 6750 section 3.1). */
  challenge(error?: OAuthError): string;
  /** True once a revocation concerns this caller; asked for remembered tokens and for open streams. */
  revoked(caller: Caller): Promise<boolean>;
  /** For readiness: resolves when the IdP was reached. */
  ready(): Promise<void>;
  /** Whether the IdP answers now. */
  reachable(): Promise<boolean>;
}
