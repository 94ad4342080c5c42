import assert from "node:assert/strict";
import { startIdp } from "../fakes/idp.ts";
import { startHandler } from "../fakes/raw_upstream.ts";
import { newBrowser } from "./browser.ts";

function authUrl(issuer: string, redirectUri: string): string {
  return `${issuer}/auth?${new URLSearchParams({
    client_id: "doorman",
    redirect_uri: redirectUri,
    response_type: "code",
    scope: "openid email",
    code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    code_challenge_method: "S256",
    state: "s1",
  })}`;
}

Deno.test("Browser.authorize() logs a user in at the test IdP and stops at the redirect URI", async () => {
  await using idp = await startIdp();
  await idp.addRedirect("http://127.0.0.1:9/cb");

  const end = await newBrowser({ user: "bob" }).authorize(
    authUrl(idp.issuer, "http://127.0.0.1:9/cb"),
    "http://127.0.0.1:9/cb",
  );

  assert.equal(end.searchParams.get("state"), "s1");
  assert.ok(end.searchParams.get("code"));
});

Deno.test("Browser.press() uses the IdP's form when no user was named, and a refusal comes back as an error", async () => {
  await using idp = await startIdp();
  await idp.addRedirect("http://127.0.0.1:9/cb");
  const browser = newBrowser();
  const stopAt = (url: URL) => url.port === "9";
  const form = await browser.open(authUrl(idp.issuer, "http://127.0.0.1:9/cb"), stopAt);
  assert.match(form.text, /Log in as alice bob/);

  const end = await browser.press(form, /^!deny$/, {}, stopAt);

  assert.equal(end.url.searchParams.get("error"), "access_denied");
});

Deno.test("Browser.open() follows refresh pages and continue links and keeps cookies", async () => {
  await using server = startHandler((request) => {
    const { pathname } = new URL(request.url);
    const html = (text: string) =>
      new Response(text, {
        headers: { "content-type": "text/html", "set-cookie": `seen=${pathname.slice(1)}; Path=/` },
      });
    if (pathname === "/a") return html(`<meta http-equiv="refresh" content="0; url=/b?x=1&amp;y=2">`);
    if (pathname === "/b") return html(`<a class="x" id="continue" href="/c">on</a>`);
    return html(`<p>cookie: ${request.headers.get("cookie")}</p>`);
  });

  const page = await newBrowser().open(`${server.origin}/a`);

  assert.equal(page.text, "cookie: seen=b");
  assert.deepEqual(page.trail.map((url) => url.slice(server.origin.length)), ["/a", "/b?x=1&y=2", "/c"]);
});
