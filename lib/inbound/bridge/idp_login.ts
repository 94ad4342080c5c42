import { randomText } from "../../base/bytes.ts";
import { pkcePair, randomState } from "../../oauth/pkce.ts";
import { funnelOf } from "./funnel.ts";
import { endpoints } from "./parts.ts";
import type { BridgeParts } from "./parts.ts";
import { type LoginRequest, sealTicket } from "./tickets.ts";

/** What a login at the IdP is begun with. */
export interface LoginStart {
  readonly request: LoginRequest;
  /** SHA-256 of the browser's id. */
  readonly browser: string;
  readonly tries: number;
  readonly selectAccount?: boolean;
}

/**
 * The address at the IdP. Only here are state, nonce and PKCE toward the IdP made, and only after approval.
 * @throws IdpError
 */
export async function beginLogin(parts: BridgeParts, start: LoginStart): Promise<URL> {
  const { config, sealer, idp } = parts;
  const { request, browser, tries, selectAccount } = start;
  const { verifier, challenge } = await pkcePair();
  const nonce = randomState();
  const ticket = { jti: randomText(16), request, browser, nonce, verifier, tries };
  const url = await idp.authorizeUrl({
    redirectUri: endpoints(config).callback,
    state: await sealTicket(sealer, "flow", ticket, config.loginTtlMs),
    nonce,
    codeChallenge: challenge,
    ...(selectAccount ? { selectAccount } : {}),
  });
  funnelOf(parts).step("idp", request.name);
  return url;
}
