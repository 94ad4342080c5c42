/** A metrics port that somebody else has: users are served, and the log says what to do. */
import assert from "node:assert/strict";
import { startUpstream } from "../fakes/upstream.ts";
import { startHttpMode } from "../support/http_mode.ts";

const ignore = Deno.build.os === "windows";

Deno.test({
  name: "a metrics port that is taken keeps no user out, and ends nothing later",
  ignore,
  async fn() {
    using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await using upstream = startUpstream();
    await using http = await startHttpMode({
      upstreamUrl: upstream.url,
      args: ["--inbound-auth-provider", "none", "--outbound-auth", "none"],
      env: { METRICS_ADDR: `127.0.0.1:${other.addr.port}` },
    });
    const line = JSON.parse(await http.process.line("stderr", /"metrics_listen_error"/));

    assert.equal(line.level, "error");
    assert.match(line.cause, new RegExp(`127\\.0\\.0\\.1:${other.addr.port}: the port is in use`));
    assert.match(line.hint, /METRICS_ADDR/);
    assert.equal(await http.stop(), 0);
  },
});
