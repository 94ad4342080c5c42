/** The address a browser is sent to (RFC 6749 section 4.1.1, RFC 7636, RFC 8707). */
import { safeHttpUrl } from "../base/browser.ts";
import type { LoginConfig } from "./config.ts";
import type { Door } from "./login_context.ts";

/** What one login adds to the door. */
export interface AuthorizeRequest {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly state: string;
  /** S256 of the verifier. */
  readonly codeChallenge: string;
}

/**
 * With a configured issuer exactly the seven parameters that the documents of our predecessors name; `resource`,
 * `audience` and others only where discovery or a setting asks for them. A query that the endpoint brings is kept.
 * @throws UserError when the endpoint may not be given to a browser.
 */
export function authorizeUrl(door: Door, request: AuthorizeRequest, config: LoginConfig): URL {
  const url = safeHttpUrl(door.server.authorization_endpoint ?? "", "authorization endpoint");
  const parameters: [string, string | undefined][] = [
    ["response_type", "code"],
    ["client_id", request.clientId],
    ["redirect_uri", request.redirectUri],
    ["scope", door.scopes.length > 0 ? door.scopes.join(" ") : undefined],
    ["state", request.state],
    ["code_challenge", request.codeChallenge],
    ["code_challenge_method", "S256"],
    ["resource", door.resource],
    ["audience", config.audience],
    // OpenID Connect Core section 11: offline access is to be consented to.
    [
      "prompt",
      config.issuerUrl === undefined && door.scopes.includes("offline_access") ? "consent" : undefined,
    ],
  ];
  const own = new Set(parameters.slice(0, 7).map(([name]) => name));
  for (const [name, value] of parameters) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  for (const [name, value] of config.authorizeParameters) {
    if (!own.has(name)) url.searchParams.set(name, value);
  }
  return url;
}
