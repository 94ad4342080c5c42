/**
 * Stands for the user's browser where a program starts one itself: `BROWSER="deno run -A opener.ts alice"`. Logs the
 * named user in and ends on the page that the program shows.
 */
import { newBrowser } from "./browser.ts";

const [user = "", address = ""] = Deno.args;
const browser = newBrowser({ user });
let page = await browser.open(address);
// A consent page on the way.
while (/<button[^>]*>\s*(approve|allow)/i.test(page.html)) {
  page = await browser.press(page, /^(approve|allow)\b/i);
}
Deno.exit(page.status === 200 ? 0 : 1);
