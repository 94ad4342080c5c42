import type { Context } from "hono";
import { generateCookie, getCookie } from "hono/cookie";
import { equalInConstantTime, randomText, sha256Text } from "../../base/bytes.ts";
import type { BridgeParts } from "./parts.ts";
import { type BrowserTicket, openTicket, sealTicket } from "./tickets.ts";

/** How long a browser is remembered after its last login, for the account shown on the consent page. */
const browserTtlMs = 30 * 86_400_000;

/** The browser that asks, as its cookie says; `undefined` without one of ours. */
export async function readBrowser(parts: BridgeParts, c: Context): Promise<BrowserTicket | undefined> {
  const text = getCookie(c, cookieName(parts));
  if (text === undefined) return undefined;
  const opened = await openTicket(parts.sealer, "browser", text);
  return opened.ok ? opened.value : undefined;
}

/** A browser that has not been here before. */
export function newBrowser(): BrowserTicket {
  return { id: randomText() };
}

/**
 * Sets the cookie, or renews it: the id stays, so that logins in other tabs stay good. `__Host-` keeps sibling hosts
 * from setting it; on loopback over http, where browsers refuse the prefix, the port is in the name instead.
 */
export async function rememberBrowser(
  parts: BridgeParts,
  response: Response,
  browser: BrowserTicket,
): Promise<void> {
  const text = await sealTicket(parts.sealer, "browser", browser, browserTtlMs);
  const cookie = generateCookie(cookieName(parts), text, {
    path: "/",
    httpOnly: true,
    secure: isSecure(parts),
    sameSite: "Lax",
    maxAge: browserTtlMs / 1000,
  });
  response.headers.append("set-cookie", cookie);
}

/** What consent and login tickets carry of the browser. */
export function browserHash(browser: BrowserTicket): Promise<string> {
  return sha256Text(browser.id);
}

/** Whether a ticket was made for the browser that presents it. */
export async function isSameBrowser(browser: BrowserTicket | undefined, hash: string): Promise<boolean> {
  return browser !== undefined && equalInConstantTime(await browserHash(browser), hash);
}

function isSecure(parts: BridgeParts): boolean {
  return parts.config.baseUrl.startsWith("https:");
}

function cookieName(parts: BridgeParts): string {
  return isSecure(parts) ? "__Host-doorman" : `doorman-${new URL(parts.config.baseUrl).port || "80"}`;
}
