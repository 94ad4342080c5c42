import assert from "node:assert/strict";
import { waysToConnect } from "../../../lib/http/landing/clients.ts";
import { prefersHtml } from "../../../lib/http/landing/prefers_html.ts";
import { artifact, launchChromium } from "../../inbound/chromium.ts";
import { accessibilityComplaints } from "../../support/axe.ts";
import { testWithService } from "../../support/services.ts";
import { startFront } from "../support.ts";

const landing = { resource: "https://mcp.acme.example/mcp", name: "Acme <tools>", mark: "AT" };
const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

function started() {
  return startFront({ upstream: () => new Response("never"), settings: { landing } });
}

Deno.test("prefersHtml() knows browsers from programs", () => {
  assert.ok(prefersHtml(browser));
  assert.ok(prefersHtml("text/html"));
  assert.ok(prefersHtml("text/html, application/json;q=0.5"));
  const programs = [
    null,
    "",
    "*/*",
    "text/event-stream",
    "application/json, text/event-stream",
    "text/html;q=0",
    "text/*",
  ];
  for (
    const accept of [
      ...programs,
      "application/json, text/html",
      "text/html;q=0.5, application/json;q=0.9",
      "text/html;q=x",
    ]
  ) {
    assert.ok(!prefersHtml(accept), String(accept));
  }
});

Deno.test("a browser at the connector's address gets a page, with the status and the challenge of a refusal", async () => {
  await using front = await started();
  const page = await fetch(front.url, { headers: { accept: browser } });
  const text = await page.text();

  assert.equal(page.status, 401);
  assert.match(page.headers.get("www-authenticate") ?? "", /resource_metadata=/);
  assert.equal(page.headers.get("vary"), "accept");
  assert.match(page.headers.get("content-type") ?? "", /^text\/html/);
  assert.match(
    page.headers.get("content-security-policy") ?? "",
    /^default-src 'none'; .*script-src 'sha256-/,
  );
  assert.match(text, /Connect Acme &lt;tools&gt;/);
  assert.doesNotMatch(text, /<tools>/);
  for (const { client } of waysToConnect(landing.resource)) {
    assert.match(text, new RegExp(`<summary>${client}`));
  }
});

Deno.test("programs, other methods, other paths and other refusals get what they always got", async () => {
  await using front = await started();
  const cases: readonly (readonly [string, RequestInit, number])[] = [
    [front.url, { headers: { accept: "text/event-stream" } }, 401],
    [front.url, { method: "POST", headers: { accept: browser }, body: "{}" }, 401],
    [`${front.url}/x`, { headers: { accept: browser } }, 401],
    [`${front.origin}/nowhere`, { headers: { accept: browser } }, 404],
    [front.url, { headers: { accept: browser, origin: "https://evil.example" } }, 403],
  ];
  for (const [url, init, status] of cases) {
    const response = await fetch(url, init);
    assert.equal(response.status, status, Deno.inspect(init));
    assert.match(response.headers.get("content-type") ?? "", /^application\/json/);
    await response.body?.cancel();
  }
});

Deno.test("without words for it there is no page", async () => {
  await using front = await startFront({ upstream: () => new Response("never") });
  const response = await fetch(front.url, { headers: { accept: browser } });

  assert.match(response.headers.get("content-type") ?? "", /^application\/json/);
  await response.body?.cancel();
});

testWithService(
  "chromium",
  "in a real browser the page copies, asks nobody else for anything, and axe finds nothing",
  async (path) => {
    await using front = await started();
    await using chromium = await launchChromium(path);
    for (
      const [colorScheme, width] of [["light", 1280], ["dark", 1280], ["light", 360], ["dark", 360]] as const
    ) {
      const context = await chromium.newContext({ colorScheme, viewport: { width, height: 800 } });
      await context.grantPermissions(["clipboard-read", "clipboard-write"]);
      const page = await context.newPage();
      const asked: string[] = [];
      const problems: string[] = [];
      page.on("request", (request) => asked.push(new URL(request.url()).origin));
      page.on("console", (message) => {
        if (/content security policy/i.test(message.text())) problems.push(message.text());
      });
      page.on("pageerror", (error) => problems.push(error.message));
      await page.goto(front.url);

      await page.getByRole("button", { name: "Copy the address" }).click();
      await page.getByText(`Copied: ${landing.resource}`).waitFor();
      await page.getByText("Copied", { exact: true }).waitFor();
      assert.equal(await page.evaluate("navigator.clipboard.readText()"), landing.resource);
      await page.getByText("Claude Code").click();
      await page.getByText("VS Code").click();
      const cut =
        "[...document.querySelectorAll('pre')].filter((one) => one.scrollWidth > one.clientWidth).length";
      assert.equal(await page.evaluate(cut), 0, "a command is cut off at the edge");
      assert.deepEqual(await accessibilityComplaints(page), []);
      const wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
      assert.ok(Number(await page.evaluate(wide)) <= 0, "wider than the window");
      await page.screenshot({ path: await artifact(`landing-${colorScheme}-${width}.png`), fullPage: true });
      assert.deepEqual([...new Set(asked)], [front.origin]);
      assert.deepEqual(problems, []);
      await context.close();
    }
  },
);
