/** A real browser walks through the login: pages, cookies, policies and refreshes as Chromium takes them. */
import assert from "node:assert/strict";
import type { BrowserContext, Page } from "playwright-core";
import { codeChallenge } from "../../lib/oauth/pkce.ts";
import { accessibilityComplaints } from "../support/axe.ts";
import { testWithService } from "../support/services.ts";
import { artifact, launchChromium } from "./chromium.ts";
import { postForm, verifier } from "./kit.ts";
import { serveBridge, type ServedBridge } from "./served_bridge.ts";

const claude = "https://claude.ai/api/mcp/auth_callback";
const cursor = "cursor://anysphere.cursor-mcp/oauth/callback";

/** Registers a client and returns its authorization address. */
async function authorizeUrl(served: ServedBridge, redirectUri: string, name = "Claude") {
  const { app } = served;
  const response = await app.request("/register", {
    method: "POST",
    body: JSON.stringify({ client_name: name, redirect_uris: [redirectUri] }),
  });
  const { client_id: clientId } = await response.json();
  const query = new URLSearchParams({
    response_type: "code",
    client_id: clientId,
    redirect_uri: redirectUri,
    code_challenge: await codeChallenge(verifier),
    code_challenge_method: "S256",
    state: "the-state",
  });
  return { clientId, url: `${served.baseUrl}/authorize?${query}` };
}

async function redeem(served: ServedBridge, clientId: string, address: string, redirectUri: string) {
  const code = new URL(address).searchParams.get("code") ?? "";
  return await postForm(served.app, "/token", {
    grant_type: "authorization_code",
    code,
    client_id: clientId,
    redirect_uri: redirectUri,
    code_verifier: verifier,
  });
}

/** A page that fails the test for whatever its policy had to stop. */
async function watchedPage(context: BrowserContext, problems: string[]): Promise<Page> {
  const page = await context.newPage();
  page.on("console", (message) => {
    if (/content security policy/i.test(message.text())) problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(error.message));
  return page;
}

/** Answers for claude.ai, so that nothing leaves this machine. */
async function playClient(page: Page): Promise<void> {
  await page.route(
    "https://claude.ai/**",
    (route) => route.fulfill({ body: "<h1>Back at the client</h1>", contentType: "text/html" }),
  );
}

testWithService(
  "chromium",
  "a person with a mouse gets from the client to the client, over https",
  async (path) => {
    await using served = await serveBridge({ https: true });
    await using browser = await launchChromium(path);
    const problems: string[] = [];
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const page = await watchedPage(context, problems);
    await playClient(page);
    const { clientId, url } = await authorizeUrl(served, claude);

    await page.goto(url);
    const [cookie] = await context.cookies();
    await page.getByRole("button", { name: "Allow", exact: true }).click();
    await page.getByRole("button", { name: "alice" }).click();
    await page.waitForURL(/^https:\/\/claude\.ai\//);

    const back = new URL(page.url());
    assert.equal(back.searchParams.get("state"), "the-state");
    assert.equal(back.searchParams.get("iss"), served.baseUrl);
    assert.equal((await redeem(served, clientId, page.url(), claude)).status, 200);
    assert.equal(cookie?.name, "__Host-doorman");
    assert.equal(cookie?.httpOnly && cookie.secure && cookie.sameSite === "Lax" && cookie.path === "/", true);
    assert.deepEqual(problems, []);

    await page.goto((await authorizeUrl(served, claude)).url);
    assert.match(await page.getByRole("main").innerText(), /last signed in here as alice@example\.com/);
  },
);

testWithService(
  "chromium",
  "a person with a keyboard only gets there too, on loopback over http",
  async (path) => {
    await using served = await serveBridge();
    await using browser = await launchChromium(path);
    const problems: string[] = [];
    const page = await watchedPage(await browser.newContext(), problems);
    await playClient(page);
    const { clientId, url } = await authorizeUrl(served, claude);
    const focused = () => page.evaluate("document.activeElement.innerText.trim()");
    const tabTo = async (text: string) => {
      const passed: unknown[] = [];
      for (let at = 0; at < 12; at++) {
        await page.keyboard.press("Tab");
        passed.push(await focused());
        if (passed.at(-1) === text) return passed;
      }
      throw new Error(`No way to ${text}: ${passed}`);
    };

    await page.goto(url);
    const order = await tabTo("Allow");
    await page.keyboard.press("Enter");
    await page.waitForURL(/interaction/);
    await tabTo("alice");
    await page.keyboard.press("Enter");
    await page.waitForURL(/^https:\/\/claude\.ai\//);

    assert.deepEqual(order, ["Deny", "Allow"]);
    assert.equal((await redeem(served, clientId, page.url(), claude)).status, 200);
    assert.deepEqual(problems, []);
  },
);

testWithService(
  "chromium",
  "a client with a scheme of its own is opened by a button, and its code is good",
  async (path) => {
    await using served = await serveBridge({ https: true });
    await using browser = await launchChromium(path);
    const problems: string[] = [];
    const page = await watchedPage(await browser.newContext({ ignoreHTTPSErrors: true }), problems);
    const { clientId, url } = await authorizeUrl(served, cursor, "Cursor");

    await page.goto(url);
    await page.getByRole("button", { name: "Allow", exact: true }).click();
    await page.getByRole("button", { name: "alice" }).click();
    const button = page.getByRole("link", { name: "Open the application" });
    const address = await button.getAttribute("href") ?? "";
    await page.screenshot({ path: await artifact("signed-in-custom-scheme.png") });
    await button.click();

    assert.match(address, /^cursor:\/\/anysphere\.cursor-mcp\/oauth\/callback\?code=/);
    assert.equal((await redeem(served, clientId, address, cursor)).status, 200);
    assert.deepEqual(problems, []);
  },
);

testWithService(
  "chromium",
  "denying takes the person back to the client with access_denied",
  async (path) => {
    await using served = await serveBridge({ https: true });
    await using browser = await launchChromium(path);
    const page = await browser.newPage({ ignoreHTTPSErrors: true });
    await playClient(page);
    const { url } = await authorizeUrl(served, claude);

    await page.goto(url);
    await page.getByRole("button", { name: "Deny" }).click();
    await page.waitForURL(/^https:\/\/claude\.ai\//);

    assert.equal(new URL(page.url()).searchParams.get("error"), "access_denied");
  },
);

testWithService(
  "chromium",
  "an attacker's approved consent gives nothing in a second browser",
  async (path) => {
    await using served = await serveBridge({ https: true });
    await using browser = await launchChromium(path);
    const attacker = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
    const victim = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
    let taken = 0;
    await victim.route("https://claude.ai/**", (route) => (taken++, route.abort()));
    const { url } = await authorizeUrl(served, claude, "Evil");
    const idp = new URL(served.idp.issuer);
    // The victim has a session at the IdP, so that nothing is asked there.
    await victim.context().addCookies([{
      name: "test_user",
      value: "alice",
      domain: idp.hostname,
      path: "/",
    }]);

    await attacker.route(`${served.idp.issuer}/**`, (route) => route.abort());
    await attacker.goto(url);
    const wanted = attacker.waitForRequest((request) => request.url().startsWith(served.idp.issuer));
    await attacker.getByRole("button", { name: "Allow", exact: true }).click();
    const stolen = (await wanted).url();
    await victim.goto(stolen);
    await victim.waitForURL(/\/auth\/callback/);

    assert.match(await victim.getByRole("main").innerText(), /not begun in this browser/);
    assert.equal(taken, 0);
    assert.equal(served.idp.calls["/token"] ?? 0, 0);
  },
);

const looks = [
  { scheme: "light", device: "desktop", width: 1280, height: 800 },
  { scheme: "dark", device: "desktop", width: 1280, height: 800 },
  { scheme: "light", device: "phone", width: 360, height: 740 },
  { scheme: "dark", device: "phone", width: 360, height: 740 },
] as const;

testWithService(
  "chromium",
  "every page is legible, labelled and fits, in light and dark, on phone and desktop",
  async (path) => {
    const allow = { subjects: ["alice"], emails: [], domains: [], groups: [], requiredScopes: [] };
    await using served = await serveBridge({
      https: true,
      hold: true,
      config: { resourceName: "Team notes", allow },
    });
    await using browser = await launchChromium(path);
    for (const { scheme, device, width, height } of looks) {
      const context = await browser.newContext({
        ignoreHTTPSErrors: true,
        colorScheme: scheme,
        viewport: { width, height },
        deviceScaleFactor: device === "phone" ? 2 : 1,
      });
      const page = await context.newPage();
      page.setDefaultTimeout(10_000);
      const look = async (name: string) => {
        await page.screenshot({ path: await artifact(`${name}-${scheme}-${device}.png`), fullPage: true });
        await assertLegible(page, `${name} ${scheme} ${device}`);
        assert.deepEqual(await accessibilityComplaints(page), [], `${name} ${scheme} ${device}`);
      };
      const local = await authorizeUrl(served, "http://127.0.0.1:33418/", "Visual Studio Code");
      await page.goto(local.url);
      await look("consent-local");
      const { url } = await authorizeUrl(served, claude);
      await page.goto(url);
      await look("consent");
      await page.getByRole("button", { name: "Allow", exact: true }).click();
      await page.getByRole("link", { name: "Continue to the sign-in" }).click();
      await page.getByRole("button", { name: "alice" }).click();
      await page.getByRole("link", { name: "Open the application" }).waitFor();
      await look("signed-in");
      await context.clearCookies({ domain: "127.0.0.1" });
      await page.goto(url);
      await page.getByRole("button", { name: "Allow with another account" }).click();
      await page.getByRole("link", { name: "Continue to the sign-in" }).click();
      await page.getByRole("button", { name: "bob" }).click();
      await page.getByRole("link", { name: "Use another account" }).waitFor();
      await look("no-access");
      await page.goto(`${served.baseUrl}/authorize?client_id=forgotten`);
      await look("forgotten-client");
      await context.close();
    }
  },
);

/** Contrast of at least 4.5 for all text (WCAG 1.4.3), nothing wider than the window, targets of 44 px, a heading. */
async function assertLegible(page: Page, what: string): Promise<void> {
  const found = await page.evaluate(`(() => {
    const channels = (color) => color.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
      .map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
      .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
    const behind = (element) => {
      for (let at = element; at; at = at.parentElement) {
        const color = channels(getComputedStyle(at).backgroundColor);
        if (color.length < 4 || color[3] > 0) return color;
      }
      return [255, 255, 255];
    };
    const texts = [...document.querySelectorAll("body *")].filter((element) =>
      [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== ""));
    const contrasts = texts.map((element) => {
      const [a, b] = [light(channels(getComputedStyle(element).color)), light(behind(element))];
      return { text: element.textContent.trim().slice(0, 40), ratio: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) };
    });
    const targets = [...document.querySelectorAll("button, a")].map((element) => element.getBoundingClientRect().height);
    return {
      weak: contrasts.filter(({ ratio }) => ratio < 4.5),
      texts: contrasts.length,
      overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      smallest: Math.min(44, ...targets),
      headings: document.querySelectorAll("h1").length,
      language: document.documentElement.lang,
      title: document.title,
    };
  })()`) as Record<string, unknown> & { texts: number; title: string };
  assert.ok(found.texts > 3, what);
  assert.deepEqual(found["weak"], [], what);
  assert.ok((found["overflow"] as number) <= 0, `${what}: wider than the window`);
  assert.equal(found["smallest"], 44, what);
  assert.equal(found["headings"], 1, what);
  assert.equal(found["language"], "en");
  assert.notEqual(found.title, "");
}
