/** Whatever text a server or a paste brings, only good addresses come out. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { safeHttpUrl } from "../../lib/base/browser.ts";
import { UserError } from "../../lib/base/errors.ts";
import { isLoopbackHost } from "../../lib/base/proxy.ts";
import { authorizeUrl } from "../../lib/stdio/authorize_url.ts";
import { escapeHtml } from "../../lib/stdio/callback_page.ts";
import { pastedCallback } from "../../lib/stdio/pending_login.ts";
import { stdioConfig } from "./login_setup.ts";

const scheme = fc.constantFrom(
  "https",
  "http",
  "javascript",
  "file",
  "data",
  "HTTPS",
  "-https",
  "ms-settings",
  "",
);
const host = fc.constantFrom(
  "a.example",
  "localhost",
  "127.0.0.1",
  "[::1]",
  "localhost.evil.example",
  "0",
  "169.254.169.254",
);
const mean = fc.constantFrom(
  "$(calc)",
  "`id`",
  "%22",
  '"',
  "'",
  "\\",
  "&",
  "|",
  ";",
  "\n",
  "\u0000",
  " ",
  "@",
  "#",
  "?x=1",
);
const address = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.webUrl({ withFragments: true, withQueryParameters: true }),
  fc.tuple(scheme, host, fc.array(fc.oneof(mean, fc.string()))).map(([s, h, rest]) =>
    `${s}://${h}/${rest.join("")}`
  ),
  fc.constantFrom("https:%22", "https:`id`", "https:$(calc)", "https://a;b", "https://a&b"),
  fc.tuple(scheme, fc.array(mean)).map(([s, rest]) => `${s}:${rest.join("")}`),
);

/** True for what may be given to a browser: one printable word without quotes, https or this machine. */
function isHarmless(url: URL): boolean {
  const trusted = url.protocol === "https:" || (url.protocol === "http:" && isLoopbackHost(url.hostname));
  return trusted && url.username === "" && url.hash === "" &&
    /^[\w.:[\]-]+$/.test(url.host) && /^[\x21\x23-\x7e]+$/.test(url.href);
}

function orRefused<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    return undefined;
  }
}

Deno.test("any text is a harmless address or refused", () => {
  fc.assert(fc.property(address, (text) => {
    const url = orRefused(() => safeHttpUrl(text, "address"));
    assert.ok(url === undefined || isHarmless(url));
  }));
});

Deno.test("any authorization endpoint gives a harmless address with our own parameters, or is refused", () => {
  const { login } = stdioConfig("/nowhere", {});
  const request = {
    clientId: "app",
    redirectUri: "http://localhost:1/cb",
    state: "our-state",
    codeChallenge: "c",
  };
  fc.assert(fc.property(address, fc.array(fc.string()), (endpoint, scopes) => {
    const server = { issuer: "https://a.example", authorization_endpoint: endpoint };
    const url = orRefused(() => authorizeUrl({ server: server as never, scopes }, request, login));
    if (url === undefined) return;
    assert.ok(isHarmless(url));
    assert.deepEqual(url.searchParams.getAll("state"), ["our-state"]);
    assert.deepEqual(url.searchParams.getAll("redirect_uri"), ["http://localhost:1/cb"]);
  }));
});

Deno.test("any paste goes to the waiting listener with its state, or is refused", () => {
  const pending = {
    url: "https://a.example/",
    redirectUri: "http://localhost:8080/auth/callback",
    state: "our-state",
  };
  const paste = fc.oneof(
    address,
    fc.string(),
    fc.tuple(address, fc.string()).map(([url, code]) =>
      `${url}?code=${encodeURIComponent(code)}&state=our-state`
    ),
  );
  fc.assert(fc.property(paste, (text) => {
    const url = orRefused(() => pastedCallback(pending, text));
    if (url === undefined) return;
    assert.equal(url.origin + url.pathname, pending.redirectUri);
    assert.equal(url.searchParams.get("state"), "our-state");
  }));
});

Deno.test("any text is text in a page", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    assert.doesNotMatch(escapeHtml(text), /[<>"'`]|&(?!#\d+;)/);
  }));
});
