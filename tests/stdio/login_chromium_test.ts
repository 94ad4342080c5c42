/** A real browser logs in for real and comes back to our listener; the pages it sees are kept in `.artifacts/`. */
import assert from "node:assert/strict";
import type { Browser, Page } from "playwright-core";
import { startIdp } from "../fakes/idp.ts";
import { artifact, launchChromium } from "../inbound/chromium.ts";
import { accessibilityComplaints } from "../support/axe.ts";
import { testWithService } from "../support/services.ts";
import { bearer, person, soon, stdioConfig, temporaryDir, testCredentials } from "./login_setup.ts";

async function newPage(chromium: Browser, colorScheme: "light" | "dark"): Promise<Page> {
  const context = await chromium.newContext({ colorScheme, viewport: { width: 900, height: 640 } });
  return await context.newPage();
}

testWithService("chromium", "a real Chromium logs in and is shown how it ended", async (path) => {
  await using dir = await temporaryDir();
  await using idp = await startIdp();
  const config = stdioConfig(`${dir.path}/cache`, {
    issuerUrl: idp.issuer,
    clientId: idp.clientId,
    clientSecret: idp.clientSecret,
  });
  await idp.addRedirect(config.login.redirectUrl.href);
  const chromium = await launchChromium(path);
  try {
    for (const colorScheme of ["light", "dark"] as const) {
      const profile = { ...config, login: { ...config.login, profile: colorScheme } };
      const user = person(undefined);
      await using credentials = await testCredentials(profile, user);
      const page = await newPage(chromium, colorScheme);
      const problems: string[] = [];
      page.on("console", (message) => problems.push(message.text()));
      page.on("pageerror", (error) => problems.push(error.message));

      await page.goto((await user.asked).href);
      await page.screenshot({ path: await artifact(`login-idp-${colorScheme}.png`) });
      problems.length = 0;
      await page.click("button[value=alice]");
      await page.waitForURL(/\/auth\/callback/);
      await page.waitForSelector("h1");

      assert.equal(await page.textContent("h1"), "You are logged in");
      assert.match(await page.textContent("body") ?? "", /You can close this tab/);
      await page.screenshot({ path: await artifact(`login-done-${colorScheme}.png`) });
      assert.deepEqual(await accessibilityComplaints(page), []);
      assert.ok(bearer(await credentials.headers(soon())));
      // The browser asks for an icon by itself; the page asks for nothing.
      assert.deepEqual(problems.filter((text) => !/404/.test(text)), []);
    }
  } finally {
    await chromium.close();
  }
});

testWithService(
  "chromium",
  "Chromium is shown a refused login and a forged callback as such",
  async (path) => {
    await using dir = await temporaryDir();
    await using idp = await startIdp();
    const config = stdioConfig(`${dir.path}/cache`, {
      issuerUrl: idp.issuer,
      clientId: idp.clientId,
      clientSecret: idp.clientSecret,
    });
    await idp.addRedirect(config.login.redirectUrl.href);
    const chromium = await launchChromium(path);
    try {
      const user = person(undefined);
      await using credentials = await testCredentials(config, user);
      const page = await newPage(chromium, "light");
      const asked = await user.asked;

      const redirectUri = asked.searchParams.get("redirect_uri");
      await page.goto(`${redirectUri}?code=stolen&state=forged`);
      assert.equal(await page.textContent("h1"), "This is not the login we wait for");
      await page.screenshot({ path: await artifact("login-forged-light.png") });
      assert.deepEqual(await accessibilityComplaints(page), []);

      const refused = credentials.headers(soon());
      refused.catch(() => {});
      const state = asked.searchParams.get("state");
      const words = encodeURIComponent("<img src=x onerror=alert(1)> " + "a long story ".repeat(30));
      const iss = encodeURIComponent(idp.issuer);
      await page.goto(
        `${redirectUri}?error=server_error&error_description=${words}&state=${state}&iss=${iss}`,
      );
      assert.equal(await page.textContent("h1"), "The login did not work");
      assert.equal(await page.locator("img").count(), 0);
      await page.screenshot({ path: await artifact("login-failed-light.png") });
      assert.deepEqual(await accessibilityComplaints(page), []);
      await assert.rejects(refused, /the server answered server_error/);
    } finally {
      await chromium.close();
    }
  },
);
