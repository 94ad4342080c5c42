import assert from "node:assert/strict";
import { startHandler } from "../fakes/raw_upstream.ts";
import { startHttpMode } from "../support/http_mode.ts";
import { startDoorman } from "../support/process.ts";

const kept = (line: string) => JSON.parse(line).detail.split(" ");

const always = ["net", "read", "write", "env", "sys"];

Deno.test("http mode in front of a URL can start no program, and no library but its own", async () => {
  await using upstream = startHandler(() => new Response());
  await using http = await startHttpMode({
    upstreamUrl: upstream.url,
    args: ["--debug", "--inbound-auth-provider", "none", "--outbound-auth", "none"],
  });

  assert.deepEqual(kept(await http.process.line("stderr", /"msg":"permissions_kept"/)), always);
});

Deno.test("http mode in front of a command can start it", async () => {
  await using process = startDoorman([
    ...[
      "--transport",
      "http",
      "--proxy-base-url",
      "http://localhost:1",
      "--host",
      "127.0.0.1",
      "--port",
      "0",
    ],
    ...["--debug", "--inbound-auth-provider", "none", "--mcp-spawn-stdio", "true"],
  ], { env: { METRICS_ADDR: "127.0.0.1:0" } });

  const line = await process.line("stderr", /"msg":"permissions_kept"/);
  assert.deepEqual(kept(line).toSorted(), [...always, "run"].sort());
});

Deno.test("stdio mode can start a program only where a browser may have to be opened", async () => {
  for (const [flag, more] of [["--no-open-browser", []], ["--open-browser", ["run"]]] as const) {
    await using process = startDoorman(["--debug", flag, "http://127.0.0.1:1/mcp"]);
    const line = await process.line("stderr", /"msg":"permissions_kept"/);
    assert.deepEqual(kept(line).toSorted(), [...always, ...more].sort(), flag);
  }
});
