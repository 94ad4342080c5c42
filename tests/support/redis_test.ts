import assert from "node:assert/strict";
import { startRedis } from "./redis.ts";
import { testWithService } from "./services.ts";

testWithService("redis", "startRedis() can be killed and comes back on the same port", async (path) => {
  await using first = await startRedis(path);
  await first.kill();
  await assert.rejects(Deno.connect({ hostname: "127.0.0.1", port: first.port }));

  await using second = await startRedis(path, { port: first.port });

  assert.equal(second.port, first.port);
});
