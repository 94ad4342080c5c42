/** A listener in a process of its own, whose number of open files a test bounds; says what it logs, a line for each. */
import { silentLog } from "../../../lib/base/log.ts";
import { listen } from "../../../lib/http/serve.ts";

const print = (event: string) => console.log(event);
const log = { ...silentLog, info: print, warn: print, error: print };
const { port } = listen(
  { hostname: "127.0.0.1", port: 0 },
  () => Promise.resolve(new Response("served")),
  log,
);
console.log(`port ${port}`);
