/** A process of its own for tests: takes marks 0..n-1 and adds to one counter as fast as it can, then says which marks it got. */
import { silentLog } from "../../lib/base/log.ts";
import { openRedis } from "../../lib/store/redis.ts";

const [url, count] = [Deno.args[0] ?? "", Number(Deno.args[1])];
const store = await openRedis({ url, keyPrefix: "race:" }, silentLog);
const won: number[] = [];
for (let mark = 0; mark < count; mark++) {
  if (await store.putIf(["used", `${mark}`], undefined, Deno.pid, 60_000)) won.push(mark);
  await store.add(["hits"], 1, 60_000);
}
console.log(JSON.stringify(won));
await store[Symbol.asyncDispose]();
