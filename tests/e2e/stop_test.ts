/** How http mode is told to stop, and told so more than once. */
import assert from "node:assert/strict";
import { startIdp } from "../fakes/idp.ts";
import { startHandler } from "../fakes/raw_upstream.ts";
import { startHttpMode } from "../support/http_mode.ts";
import { logIn } from "../support/oauth_client.ts";
import { startRedis } from "../support/redis.ts";
import { testWithService } from "../support/services.ts";

const ignore = Deno.build.os === "windows";

/** A call that is under way at the upstream, and a way to answer it. */
async function callInFlight() {
  const arrived = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<Response>();
  const upstream = startHandler(() => (arrived.resolve(), answer.promise));
  const http = await startHttpMode({
    upstreamUrl: `${upstream.origin}/mcp`,
    args: ["--inbound-auth-provider", "none", "--outbound-auth", "none"],
  });
  const running = fetch(http.mcpUrl, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" }),
  });
  const refused = running.then((response) => Promise.reject(new Error(`HTTP ${response.status}`)));
  await Promise.race([arrived.promise, refused]);
  return {
    http,
    running,
    answer: () => answer.resolve(Response.json({ jsonrpc: "2.0", id: 1, result: {} })),
    async [Symbol.asyncDispose]() {
      answer.resolve(new Response());
      await running.then((response) => response.body?.cancel()).catch(() => {});
      await http[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

Deno.test({
  name: "one Ctrl-C that arrives twice, from the terminal and from a parent, is one wish: the call finishes",
  ignore,
  async fn() {
    await using test = await callInFlight();
    const { process } = test.http;

    process.signal("SIGINT");
    process.signal("SIGTERM");
    await process.line("stderr", /shutting_down/);
    test.answer();

    assert.equal((await test.running).status, 200);
    await process.line("stderr", /shutdown_complete/);
    assert.equal(await process.exited, 0);
    assert.doesNotMatch(process.stderr.join("\n"), /shutdown_forced/);
  },
});

Deno.test({
  name: "who goes on sending signals ends it at once, with the call still under way",
  ignore,
  async fn() {
    await using test = await callInFlight();
    const { process } = test.http;

    process.signal("SIGTERM");
    await process.line("stderr", /shutting_down/);
    const insisting = setInterval(() => process.signal("SIGTERM"), 100);
    const code = await process.exited.finally(() => clearInterval(insisting));

    assert.equal(code, 2);
    await process.line("stderr", /shutdown_forced/);
  },
});

testWithService(
  "redis",
  "a refresh that is under way when the end comes still finds its store",
  async (path) => {
    await using redis = await startRedis(path);
    await using idp = await startIdp();
    await using upstream = startHandler(() => Response.json({}));
    const env = { REDIS_URL: redis.url, TOKEN_SIGNING_SECRET: "one-secret-of-a-stop-test-0123456789-abc" };
    await using http = await startHttpMode({ idp, upstreamUrl: upstream.url, env });
    const { client, tokens } = await logIn(http.mcpUrl);
    const form = new URLSearchParams({
      grant_type: "refresh_token",
      client_id: client.clientId,
      refresh_token: tokens.refresh_token ?? "",
    }).toString();
    const head = [
      "POST /token HTTP/1.1",
      `Host: localhost:${http.port}`,
      "Content-Type: application/x-www-form-urlencoded",
      `Content-Length: ${form.length}`,
      // The answer to which shows that the request is under way.
      "Expect: 100-continue",
    ];
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: http.port });
    const send = (text: string) => connection.write(new TextEncoder().encode(text));
    await send(`${head.join("\r\n")}\r\n\r\n`);
    const answer = new Uint8Array(65_536);
    const interim = await connection.read(answer) ?? 0;
    assert.equal(new TextDecoder().decode(answer.subarray(0, interim)), "HTTP/1.1 100 Continue\r\n\r\n");
    await send(form.slice(0, 20));

    http.process.signal("SIGTERM");
    await http.process.line("stderr", /shutting_down/);
    await send(form.slice(20));

    const size = await connection.read(answer) ?? 0;
    assert.match(new TextDecoder().decode(answer.subarray(0, size)), /^HTTP\/1\.1 200 /);
    assert.equal(await http.process.exited, 0);
  },
);
