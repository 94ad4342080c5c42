import assert from "node:assert/strict";
import { silentLog } from "../../lib/base/log.ts";
import { lastAnswers } from "../../lib/stdio/last_answers.ts";

async function inFolder(work: (cacheDir: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    await work(`${folder}/cache`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const upstreamUrl = new URL("https://up.example/mcp");

Deno.test("an answer is found again, by upstream, profile and method", async () => {
  await inFolder(async (cacheDir) => {
    const answers = lastAnswers({ cacheDir, upstreamUrl, profile: "default" }, silentLog);
    await answers.put("initialize", { serverInfo: { name: "a" } });
    await answers.put("server/discover", { x: 1 });

    const again = lastAnswers({ cacheDir, upstreamUrl, profile: "default" }, silentLog);
    const other = lastAnswers({ cacheDir, upstreamUrl, profile: "other" }, silentLog);

    assert.deepEqual(await again.get("initialize"), { serverInfo: { name: "a" } });
    assert.deepEqual(await again.get("server/discover"), { x: 1 });
    assert.equal(await other.get("initialize"), undefined);
  });
});

Deno.test("a file that is broken or cannot be written costs only the memory", async () => {
  await inFolder(async (cacheDir) => {
    const answers = lastAnswers({ cacheDir, upstreamUrl, profile: "default" }, silentLog);
    await answers.put("initialize", { a: 1 });
    for await (const { name } of Deno.readDir(cacheDir)) {
      await Deno.writeTextFile(`${cacheDir}/${name}`, "{broken");
    }

    assert.equal(await answers.get("initialize"), undefined);
    await answers.put("initialize", { a: 2 });
    assert.deepEqual(await answers.get("initialize"), { a: 2 });
  });
  const nowhere = lastAnswers({ cacheDir: "/proc/nowhere", upstreamUrl, profile: "p" }, silentLog);
  await nowhere.put("initialize", {});
  assert.equal(await nowhere.get("initialize"), undefined);
});
