/** One login at an IdP, from the authorization URL to the identity, with the parts that a test may tamper with. */
import type { Idp } from "../../lib/idp/idp.ts";
import { pkcePair, randomState } from "../../lib/oauth/pkce.ts";
import { newBrowser } from "./browser.ts";

export const callback = "http://127.0.0.1/callback";

/** What the caller of an `Idp` keeps between authorization and exchange. */
export interface Attempt {
  readonly url: URL;
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
  readonly redirectUri: string;
}

export async function startAttempt(
  idp: Idp,
  options: { redirectUri?: string; selectAccount?: boolean; hasRefreshToken?: boolean } = {},
): Promise<Attempt> {
  const { redirectUri = callback, ...rest } = options;
  const pair = await pkcePair();
  const [state, nonce] = [randomState(), randomState()];
  const url = await idp.authorizeUrl({ redirectUri, state, nonce, codeChallenge: pair.challenge, ...rest });
  return { url, state, nonce, codeVerifier: pair.verifier, redirectUri };
}

/** Logs the user in with the scripted browser and exchanges what came back. */
export async function logInAt(idp: Idp, user: string, options: Parameters<typeof startAttempt>[1] = {}) {
  const attempt = await startAttempt(idp, options);
  const back = await newBrowser({ user }).authorize(attempt.url, attempt.redirectUri);
  return await idp.exchange({ parameters: back.searchParams, ...attempt });
}
