/**
 * A person's browser as a program, for `BROWSER`: notes that it was opened, waits as long as the person needs and
 * walks through the login. Arguments: the file to note in, the user, the wait in milliseconds, the address.
 */
import { newBrowser } from "../support/browser.ts";

const [file = "", user = "", waitMs = "0", address = ""] = Deno.args;
Deno.writeTextFileSync(file, `opened ${address}\n`, { append: true, create: true });
await new Promise((resolve) => setTimeout(resolve, Number(waitMs)));
const page = await newBrowser({ user }).open(address);
Deno.writeTextFileSync(file, `ended ${page.status}\n`, { append: true });
