/**
 * Stands for the user's browser where a program starts one itself: `BROWSER="deno run -A opener.ts alice"`. Logs the
 * named user in and ends on the page that the program shows.
 */
import { newBrowser } from "./browser.ts";

const [user = "", address = ""] = Deno.args;
const page = await newBrowser({ user }).open(address);
Deno.exit(page.status === 200 ? 0 : 1);
