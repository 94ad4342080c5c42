import assert from "node:assert/strict";
import { startIdp } from "../fakes/idp.ts";
import { startUpstream } from "../fakes/upstream.ts";
import { newBrowser } from "../support/browser.ts";
import { type HttpMode, startHttpMode } from "../support/http_mode.ts";
import { call, codeOf, discover, redeem, refresh, register, startLogin } from "../support/oauth_client.ts";

Deno.test("a restart between any two steps of a login, and after it, changes nothing", async () => {
  await using idp = await startIdp();
  await using upstream = startUpstream();
  const home = await Deno.makeTempDir();
  let http: HttpMode | undefined;
  let starts = 0;
  const restart = async (): Promise<HttpMode> => {
    const { port } = http ?? {};
    if (http !== undefined) {
      // A crash and a proper stop in turns.
      if (starts % 2 === 0) http.process.signal("SIGKILL");
      else await http.stop();
      await http[Symbol.asyncDispose]();
    }
    starts++;
    http = await startHttpMode({
      idp,
      upstreamUrl: upstream.url,
      home,
      ...(port === undefined ? {} : { port }),
    });
    return http;
  };

  try {
    const { mcpUrl, baseUrl } = await restart();
    const browser = newBrowser({ user: "alice" });
    const found = await discover(mcpUrl);
    await restart();
    const client = await register(found.server);
    await restart();
    const login = await startLogin(found, client);
    const consent = await browser.open(login.url);
    await restart();
    const atIdp = await browser.press(
      consent,
      /^(approve|allow|yes)/i,
      {},
      (url) => url.origin === idp.issuer,
    );
    await restart();
    const atCallback = await browser.open(atIdp.url, (url) => url.pathname === "/auth/callback");
    assert.equal(atCallback.url.origin, baseUrl);
    await restart();
    const end = await browser.open(atCallback.url, (url) => url.href.startsWith(client.redirectUri));
    assert.equal(end.status, 0, end.text);
    await restart();
    const tokens = await redeem(found, client, login, codeOf(end.url, login));
    await restart();
    assert.equal(await status(mcpUrl, tokens.access_token), 200);
    const renewed = await refresh(found, client, tokens.refresh_token ?? "");
    await restart();
    assert.equal(await status(mcpUrl, renewed.access_token), 200);
    assert.equal(await status(mcpUrl, tokens.access_token), 200);
    await assert.rejects(redeem(found, client, login, codeOf(end.url, login)), /invalid_grant/);
  } finally {
    await http?.[Symbol.asyncDispose]();
    await Deno.remove(home, { recursive: true });
  }
  assert.equal(starts, 9);
});

async function status(mcpUrl: string, token: string): Promise<number> {
  const answer = await call(mcpUrl, token, {
    jsonrpc: "2.0",
    id: 1,
    method: "initialize",
    params: {
      protocolVersion: "2025-06-18",
      capabilities: {},
      clientInfo: { name: "scripted", version: "1" },
    },
  });
  await answer.body?.cancel();
  return answer.status;
}
