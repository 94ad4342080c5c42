/** An MCP client that lives in a web page: every request of it is one that Chromium has to allow. */
import assert from "node:assert/strict";
import { launchChromium } from "../inbound/chromium.ts";
import { startIdp } from "../fakes/idp.ts";
import { startHandler } from "../fakes/raw_upstream.ts";
import { startUpstream } from "../fakes/upstream.ts";
import { startHttpMode } from "../support/http_mode.ts";
import { logIn } from "../support/oauth_client.ts";
import { testWithService } from "../support/services.ts";

testWithService(
  "chromium",
  "a client in a web page discovers, registers, logs in, calls and refreshes",
  async (path) => {
    await using idp = await startIdp();
    await using upstream = startUpstream();
    await using site = startHandler(() =>
      new Response("<h1>client</h1>", { headers: { "content-type": "text/html" } })
    );
    const siteOrigin = new URL(site.url).origin;
    await using http = await startHttpMode({
      idp,
      upstreamUrl: upstream.url,
      env: { CORS_ALLOW_ORIGINS: siteOrigin },
    });
    await using browser = await launchChromium(path);
    const page = await browser.newPage();
    await page.goto(siteOrigin);

    const begun = await page.evaluate(beginInPage, {
      mcpUrl: http.mcpUrl,
      redirectUri: `${siteOrigin}/callback`,
    });
    await page.goto(begun.authorize);
    await page.getByRole("button", { name: "Allow", exact: true }).click();
    await page.getByRole("button", { name: "alice" }).click();
    await page.waitForURL(`${siteOrigin}/callback?**`);
    const code = new URL(page.url()).searchParams.get("code") ?? "";
    const outcome = await page.evaluate(finishInPage, { ...begun, code, mcpUrl: http.mcpUrl });

    assert.match(begun.challenge, /resource_metadata=/);
    assert.deepEqual(outcome, { first: 200, second: 200, session: true });
  },
);

testWithService(
  "chromium",
  "a web page of an origin that is not allowed gets nowhere at the mount",
  async (path) => {
    await using idp = await startIdp();
    await using upstream = startUpstream();
    await using site = startHandler(() =>
      new Response("<h1>evil</h1>", { headers: { "content-type": "text/html" } })
    );
    await using http = await startHttpMode({ idp, upstreamUrl: upstream.url });
    await using browser = await launchChromium(path);
    const page = await browser.newPage();
    await page.goto(new URL(site.url).origin);

    const outcome = await page.evaluate(async (url) => {
      try {
        const response = await fetch(url, {
          method: "POST",
          headers: { authorization: "Bearer x" },
          body: "{}",
        });
        return String(response.status);
      } catch (error) {
        return (error as Error).name;
      }
    }, http.mcpUrl);

    assert.equal(outcome, "TypeError");
  },
);

testWithService(
  "chromium",
  "a page of an allowed origin reads streams event by event, one of another origin reads nothing",
  async (path) => {
    const streams: ReadableStreamDefaultController<Uint8Array>[] = [];
    const seen: string[] = [];
    const say = (text: string) => streams.at(-1)?.enqueue(new TextEncoder().encode(`data: ${text}\n\n`));
    await using idp = await startIdp();
    await using upstream = startHandler((request) => {
      seen.push(request.method);
      const body = new ReadableStream<Uint8Array>({ start: (controller) => void streams.push(controller) });
      say("first");
      const headers = { "content-type": "text/event-stream", "mcp-session-id": "inner" };
      return new Response(body, { headers });
    });
    const html = { headers: { "content-type": "text/html" } };
    await using friend = startHandler(() => new Response("<h1>friend</h1>", html));
    await using stranger = startHandler(() => new Response("<h1>stranger</h1>", html));
    await using http = await startHttpMode({
      idp,
      upstreamUrl: upstream.url,
      env: { CORS_ALLOW_ORIGINS: friend.origin },
    });
    const { tokens } = await logIn(http.mcpUrl, { user: "alice" });
    await using browser = await launchChromium(path);
    const page = await browser.newPage();
    const asked = (method: string) => ({ url: http.mcpUrl, method, token: tokens.access_token });

    await page.goto(friend.origin);
    for (const method of ["POST", "GET"]) {
      const opened = await page.evaluate(openInPage, asked(method));
      assert.deepEqual([opened.status, opened.events], [200, "data: first\n\n"]);
      assert.ok(opened.session !== null && opened.session !== "inner");
      for (const text of ["second", "third"]) {
        say(text);
        assert.equal(await page.evaluate(readInPage), `data: ${text}\n\n`);
      }
      streams.at(-1)?.close();
      assert.equal(await page.evaluate(readInPage), "end");
    }
    assert.deepEqual(seen, ["POST", "GET"]);

    await page.goto(stranger.origin);
    for (const method of ["POST", "GET"]) {
      const opened = await page.evaluate(openInPage, asked(method));
      assert.equal(opened.status, "TypeError", "the browser was not told that it may");
    }
    assert.equal(seen.length, 2);
  },
);

interface PageWithStream {
  reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
}

/** Runs in the page: asks for a stream and reads its first event; the rest is read by `readInPage`. */
async function openInPage({ url, method, token }: { url: string; method: string; token: string }) {
  try {
    const response = await fetch(url, {
      method,
      headers: {
        "authorization": `Bearer ${token}`,
        "mcp-protocol-version": "2025-11-25",
        "accept": "application/json, text/event-stream",
        ...(method === "POST" ? { "content-type": "application/json" } : {}),
      },
      ...(method === "POST" ? { body: '{"jsonrpc":"2.0","id":1,"method":"ping"}' } : {}),
    });
    const reader = response.body?.getReader();
    (globalThis as unknown as PageWithStream).reader = reader;
    const { value } = await reader?.read() ?? {};
    const session = response.headers.get("mcp-session-id");
    return { status: response.status, session, events: new TextDecoder().decode(value) };
  } catch (error) {
    return { status: (error as Error).name, session: null, events: "" };
  }
}

/** Runs in the page: the next event of the stream that is open. */
async function readInPage(): Promise<string> {
  const { done, value } = await (globalThis as unknown as PageWithStream).reader?.read() ?? {};
  return done ? "end" : new TextDecoder().decode(value);
}

interface Begun {
  challenge: string;
  authorize: string;
  token: string;
  clientId: string;
  redirectUri: string;
  verifier: string;
}

/** Runs in the page: from the challenge to the address of the login. */
async function beginInPage({ mcpUrl, redirectUri }: { mcpUrl: string; redirectUri: string }): Promise<Begun> {
  const version = { "mcp-protocol-version": "2025-11-25" };
  const refused = await fetch(mcpUrl, {
    method: "POST",
    headers: {
      ...version,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    },
    body: "{}",
  });
  const challenge = refused.headers.get("www-authenticate") ?? "";
  const link = /resource_metadata="([^"]+)"/.exec(challenge)?.[1] ?? "";
  const resource = await (await fetch(link, { headers: version })).json();
  const issuer = resource.authorization_servers[0];
  const server = await (await fetch(`${issuer}/.well-known/oauth-authorization-server`, { headers: version }))
    .json();
  const registered = await fetch(server.registration_endpoint, {
    method: "POST",
    headers: { ...version, "content-type": "application/json" },
    body: JSON.stringify({
      client_name: "page",
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: "none",
    }),
  });
  const { client_id: clientId } = await registered.json();
  const verifier = "v".repeat(43);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const challengeText = btoa(String.fromCharCode(...new Uint8Array(digest)))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const query = new URLSearchParams({
    response_type: "code",
    client_id: clientId,
    redirect_uri: redirectUri,
    code_challenge: challengeText,
    code_challenge_method: "S256",
    resource: resource.resource,
  });
  const authorize = `${server.authorization_endpoint}?${query}`;
  return { challenge, authorize, token: server.token_endpoint, clientId, redirectUri, verifier };
}

/** Runs in the page: from the code to calls with the first and the refreshed token. */
async function finishInPage(begun: Begun & { code: string; mcpUrl: string }) {
  const version = { "mcp-protocol-version": "2025-11-25" };
  const ask = async (form: Record<string, string>) => {
    const body = new URLSearchParams({ client_id: begun.clientId, ...form });
    return await (await fetch(begun.token, { method: "POST", headers: version, body })).json();
  };
  const initialize = async (token: string) =>
    await fetch(begun.mcpUrl, {
      method: "POST",
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
      },
      body: JSON.stringify({
        jsonrpc: "2.0",
        id: 1,
        method: "initialize",
        params: {
          protocolVersion: "2025-11-25",
          capabilities: {},
          clientInfo: { name: "page", version: "1" },
        },
      }),
    });
  const tokens = await ask({
    grant_type: "authorization_code",
    code: begun.code,
    redirect_uri: begun.redirectUri,
    code_verifier: begun.verifier,
  });
  const first = await initialize(tokens.access_token);
  const renewed = await ask({ grant_type: "refresh_token", refresh_token: tokens.refresh_token });
  const second = await initialize(renewed.access_token);
  return {
    first: first.status,
    second: second.status,
    session: second.headers.get("mcp-session-id") !== null,
  };
}
