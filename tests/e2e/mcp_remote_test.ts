import assert from "node:assert/strict";
import { startIdp } from "../fakes/idp.ts";
import { startUpstream } from "../fakes/upstream.ts";
import { newBrowser } from "../support/browser.ts";
import { startHttpMode } from "../support/http_mode.ts";
import { anyCallbackPort, connectMcpRemote } from "../support/mcp_remote.ts";

Deno.test("mcp-remote logs in, calls a tool, and comes back with a refresh and without another login", async () => {
  await using idp = await startIdp();
  await using upstream = startUpstream();
  await using http = await startHttpMode({ idp, upstreamUrl: upstream.url, env: { ACCESS_TOKEN_TTL: "4s" } });
  const home = await Deno.makeTempDir();
  const callbackPort = anyCallbackPort();
  try {
    for (const logins of [1, 0]) {
      await using remote = await connectMcpRemote(http.mcpUrl, {
        browser: newBrowser({ user: "alice" }),
        home,
        callbackPort,
      });
      const result = await remote.client.callTool({ name: "echo", arguments: { text: "hello" } });

      assert.deepEqual(result.content, [{ type: "text", text: "hello" }]);
      assert.equal(remote.logins, logins, remote.stderr.join("") + http.process.stderr.join("\n"));
      // Its clock is the real one.
      if (logins === 1) await new Promise((resolve) => setTimeout(resolve, 4_100));
    }
    assert.ok(http.process.stderr.some((line) => line.includes("token_refreshed")));
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});
