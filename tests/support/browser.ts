/**
 * A scripted browser: keeps cookies (by host, not by port, as browsers do), follows redirects, refresh pages and
 * `<a id="continue">`, reads forms and presses their buttons, and sends the headers of a real navigation.
 */
import { type Button, continuationOf, type Form, formsOf, textOf } from "./html.ts";

export interface BrowserOptions {
  /** Who logs in at the test IdP; without it the IdP shows its form. */
  user?: string;
  /** Pressed on consent pages; default `approve`. `stop` leaves the page to the test. */
  consent?: "approve" | "deny" | "stop";
  userAgent?: string;
  /** Further headers of each request. */
  headers?: Record<string, string>;
}

/** A page on which the browser came to rest. */
export interface Page {
  readonly url: URL;
  readonly status: number;
  readonly headers: Headers;
  readonly html: string;
  /** What a person reads. */
  readonly text: string;
  readonly forms: readonly Form[];
  /** Every address on the way here, this one last. */
  readonly trail: readonly string[];
}

export interface Browser {
  /** Navigates until a page has no continuation, or an address for which `stopAt` says true, which is not fetched. */
  open(url: string | URL, stopAt?: (url: URL) => boolean): Promise<Page>;
  /** Submits the first form that has such a button; the matcher sees its value and its text. */
  press(
    page: Page,
    button: RegExp,
    fields?: Record<string, string>,
    stopAt?: (url: URL) => boolean,
  ): Promise<Page>;
  /** Goes through login and consent until the redirect URI is reached; returns that address. @throws Error with the page's text. */
  authorize(url: string | URL, redirectUri: string): Promise<URL>;
  /** Cookies by name, for looking and for tampering. */
  readonly cookies: Map<string, Cookie>;
}

export interface Cookie {
  readonly name: string;
  value: string;
  readonly host: string;
  readonly path: string;
  /** The header as it came. */
  readonly header: string;
}

const approve = /^(approve|allow|yes|accept|continue)\b/i;
const deny = /^(deny|refuse|reject|cancel|no)\b/i;

export function newBrowser(options: BrowserOptions = {}): Browser {
  const cookies = new Map<string, Cookie>();

  async function request(url: URL, from: URL | undefined, body?: URLSearchParams): Promise<Response> {
    const headers = new Headers({
      "accept": "text/html,application/xhtml+xml,*/*;q=0.8",
      "user-agent": options.userAgent ?? "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36",
      "sec-fetch-dest": "document",
      "sec-fetch-mode": "navigate",
      "sec-fetch-site": from === undefined
        ? "none"
        : from.origin === url.origin
        ? "same-origin"
        : "cross-site",
      ...options.headers,
    });
    const sent = [...cookies.values()].filter((cookie) =>
      cookie.host === url.hostname && pathMatches(cookie.path, url.pathname)
    );
    if (sent.length > 0) {
      headers.set(
        "cookie",
        sent.map((cookie) => `${cookie.name}=${cookie.value}`).join("; "),
      );
    }
    if (options.user !== undefined && url.pathname.startsWith("/interaction/")) {
      headers.set("x-test-user", options.user);
    }
    if (body !== undefined && from !== undefined) headers.set("origin", from.origin);
    const response = await fetch(url, {
      method: body === undefined ? "GET" : "POST",
      headers,
      redirect: "manual",
      signal: AbortSignal.timeout(20_000),
      ...(body === undefined ? {} : { body }),
    });
    for (const header of response.headers.getSetCookie()) keep(header, url);
    return response;
  }

  function keep(header: string, url: URL): void {
    const [pair = "", ...attributes] = header.split(";").map((part) => part.trim());
    const split = pair.indexOf("=");
    const name = pair.slice(0, split);
    const find = (wanted: string) =>
      attributes.find((text) => text.toLowerCase().startsWith(`${wanted}=`))?.slice(wanted.length + 1);
    const path = find("path") ?? "/";
    const key = `${url.hostname} ${path} ${name}`;
    const expires = find("expires");
    const dead = find("max-age") === "0" || (expires !== undefined && Date.parse(expires) <= Date.now());
    if (dead) cookies.delete(key);
    else cookies.set(key, { name, value: pair.slice(split + 1), host: url.hostname, path, header });
  }

  async function navigate(
    start: URL,
    from: URL | undefined,
    body: URLSearchParams | undefined,
    stopAt: (url: URL) => boolean,
  ): Promise<Page> {
    const trail: string[] = [];
    let [url, origin, form] = [start, from, body];
    for (let hop = 0; hop < 30; hop++) {
      trail.push(url.href);
      if (stopAt(url)) {
        return { url, status: 0, headers: new Headers(), html: "", text: "", forms: [], trail };
      }
      const response = await request(url, origin, form);
      const html = await response.text();
      const location = response.headers.get("location");
      const isHtml = /html/.test(response.headers.get("content-type") ?? "");
      const next = location !== null && response.status >= 300 && response.status < 400
        ? location
        : isHtml
        ? continuationOf(html)
        : undefined;
      if (next === undefined) {
        return {
          url,
          status: response.status,
          headers: response.headers,
          html,
          text: textOf(html),
          forms: formsOf(html),
          trail,
        };
      }
      if (response.status === 307 || response.status === 308) form = body;
      else form = undefined;
      origin = url;
      url = new URL(next, url);
    }
    throw new Error(`The browser was sent around in circles:\n${trail.join("\n")}`);
  }

  const browser: Browser = {
    cookies,
    open: (url, stopAt = () => false) => navigate(new URL(url), undefined, undefined, stopAt),
    async press(page, button, fields = {}, stopAt = () => false) {
      const found = findButton(page.forms, button);
      if (found === undefined) {
        throw new Error(`No button ${button} on ${page.url}: ${page.status} ${page.text}`);
      }
      const values = new URLSearchParams(
        found.form.fields.map(([name, value]): [string, string] => [name, value]),
      );
      for (const [name, value] of Object.entries(fields)) values.set(name, value);
      if (found.button.name !== "") values.append(found.button.name, found.button.value);
      const target = new URL(found.form.action === "" ? page.url : found.form.action, page.url);
      if (found.form.method === "post") return await navigate(target, page.url, values, stopAt);
      target.search = values.toString();
      return await navigate(target, page.url, undefined, stopAt);
    },
    async authorize(url, redirectUri) {
      const stopAt = (at: URL) => at.href === redirectUri || at.href.startsWith(`${redirectUri}?`);
      let page = await browser.open(url, stopAt);
      for (let step = 0; step < 5 && page.status !== 0; step++) {
        const answer = options.consent === "deny" ? deny : approve;
        if (options.consent === "stop" || findButton(page.forms, answer) === undefined) break;
        page = await browser.press(page, answer, {}, stopAt);
      }
      if (page.status !== 0) throw new Error(`The login ended on ${page.url}: ${page.status} ${page.text}`);
      return page.url;
    },
  };
  return browser;
}

function findButton(forms: readonly Form[], wanted: RegExp): { form: Form; button: Button } | undefined {
  for (const form of forms) {
    const button = form.buttons.find((candidate) =>
      wanted.test(candidate.value) || wanted.test(candidate.text)
    );
    if (button !== undefined) return { form, button };
  }
  return undefined;
}

function pathMatches(cookiePath: string, path: string): boolean {
  return path === cookiePath || path.startsWith(cookiePath.endsWith("/") ? cookiePath : `${cookiePath}/`);
}
