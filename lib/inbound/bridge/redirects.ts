import { isLoopbackRedirect, matchRedirectUri, redirectUriRefusal } from "../../oauth/redirect_uri.ts";
import type { BridgeConfig } from "../config.ts";

/** Why a URI may not be registered here, as a sentence; `undefined` when it may. */
export function refusedRedirect(
  uri: string,
  config: Pick<BridgeConfig, "redirectHosts" | "redirectSchemes">,
): string | undefined {
  return redirectUriRefusal(uri, { hosts: config.redirectHosts, schemes: config.redirectSchemes });
}

/** Whether a request may ask for this URI, given the registered ones. */
export function isRegisteredRedirect(uri: string, registered: readonly string[]): boolean {
  return matchRedirectUri(uri, registered) !== undefined;
}

/** Whether the answer goes by the web, as opposed to an application's own scheme. */
export function isWebRedirect(uri: string): boolean {
  return /^https?:\/\//i.test(uri);
}

/** Where the answer goes, as a person may judge it. */
export function redirectDestination(uri: string): string {
  if (!isWebRedirect(uri)) return `an application on this device (${uri.slice(0, uri.indexOf(":"))})`;
  const { host } = new URL(uri);
  return isLoopbackRedirect(uri) ? `this computer (${host})` : host;
}

/** Whether a program on the user's device gets the answer, whoever wrote that program. */
export function isLocalRedirect(uri: string): boolean {
  return !isWebRedirect(uri) || isLoopbackRedirect(uri);
}
