/** A process of its own for tests: opens the store in argv[0], says so, and keeps it until stdin ends. */
import { systemClock } from "../../lib/base/clock.ts";
import { silentLog } from "../../lib/base/log.ts";
import { openStore } from "../../lib/store/open.ts";

const store = await openStore({ kind: "kv", path: Deno.args[0] ?? "" }, {
  clock: systemClock,
  log: silentLog,
});
console.log("open");
for await (const _ of Deno.stdin.readable);
await store[Symbol.asyncDispose]();
