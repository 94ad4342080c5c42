/** What a user sees when something is wrong: one clear line and the right exit code or answer, and recovery by itself. */
import assert from "node:assert/strict";
import { startIdp } from "../fakes/idp.ts";
import { startHandler, unusedPort } from "../fakes/raw_upstream.ts";
import { startUpstream } from "../fakes/upstream.ts";
import { newBrowser } from "../support/browser.ts";
import { startHttpMode } from "../support/http_mode.ts";
import { call, discover, logIn, register, startLogin } from "../support/oauth_client.ts";
import { runDoorman, startDoorman } from "../support/process.ts";

const ping = { jsonrpc: "2.0", id: 7, method: "ping" };

Deno.test("a bad configuration is told all at once, on stderr, with exit code 2", async () => {
  const { code, stdout, stderr } = await runDoorman([
    "--transport",
    "http",
    "--port",
    "99999",
    "--proxy-base-url",
    "not a url",
    "--no-such-flag",
    "http://127.0.0.1:1/mcp",
  ]);

  assert.equal(code, 2);
  assert.equal(stdout, "");
  assert.match(stderr, /port/i);
  assert.match(stderr, /base-url|MCP_PROXY_BASE_URL/i);
  assert.match(stderr, /no-such-flag/);
  assert.doesNotMatch(stderr, /\bat .*\.ts:\d+/);
});

Deno.test("no configuration at all says what is missing, with exit code 2", async () => {
  const { code, stdout, stderr } = await runDoorman(["--transport", "http"]);

  assert.equal(code, 2);
  assert.equal(stdout, "");
  assert.match(stderr, /upstream/i);
});

Deno.test("a port that is in use is one line and exit code 1", async () => {
  await using idp = await startIdp();
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  await using http = await startHttpMode({
    idp,
    upstreamUrl: "http://127.0.0.1:1/mcp",
    port,
    dontWait: true,
  });

  const code = await http.process.exited;

  assert.equal(code, 1);
  const said = http.process.stderr.filter((line) => line.includes(String(port)) && /in use/i.test(line));
  assert.equal(said.length, 1, http.process.stderr.join("\n"));
  assert.doesNotMatch(http.process.stderr.join("\n"), /\bat .*\.ts:\d+/);
});

Deno.test("http mode starts while the IdP is down, answers logins with 503 and Retry-After, and recovers by itself", async () => {
  await using idp = await startIdp();
  await using upstream = startUpstream();
  await idp.down();
  await using http = await startHttpMode({ idp, upstreamUrl: upstream.url });
  const found = await discover(http.mcpUrl);
  const client = await register(found.server);
  const login = await startLogin(found, client);
  const browser = newBrowser({ user: "alice" });

  let page = await browser.open(login.url);
  if (page.forms.length > 0) page = await browser.press(page, /^(approve|allow|yes)/i);
  assert.equal(page.status, 503, page.text);
  assert.ok(Number(page.headers.get("retry-after")) > 0);

  await idp.up();
  const { tokens } = await logInUntilItWorks(http.mcpUrl);
  assert.notEqual(await status(http.mcpUrl, tokens.access_token), 401);
});

Deno.test("an issuer whose document names another issuer is refused with a line that names both", async () => {
  await using idp = await startIdp({ discovery: (document) => document.issuer = "https://another.example" });
  await using upstream = startUpstream();
  await using http = await startHttpMode({ idp, upstreamUrl: upstream.url });
  const found = await discover(http.mcpUrl);
  const client = await register(found.server);
  const login = await startLogin(found, client);
  const browser = newBrowser({ user: "alice" });

  let page = await browser.open(login.url);
  if (page.forms.length > 0) page = await browser.press(page, /^(approve|allow|yes)/i);

  assert.ok(page.status >= 500, `${page.status} ${page.text}`);
  const line = await http.process.line("stderr", /another\.example/);
  assert.match(line, /issuer/i);
  assert.doesNotMatch(page.html, /another\.example/);
});

Deno.test("an upstream that is down is answered with 502 and an error for the client's own id, and heals", async () => {
  await using idp = await startIdp();
  await using upstream = startUpstream();
  await using http = await startHttpMode({ idp, upstreamUrl: upstream.url });
  const { tokens } = await logIn(http.mcpUrl);
  await upstream.down();

  const down = await call(http.mcpUrl, tokens.access_token, ping);
  const body = await down.text();
  await upstream.up();
  const up = await status(http.mcpUrl, tokens.access_token);

  assert.ok(down.status === 502 || down.status === 503, `${down.status} ${body}`);
  assert.equal(JSON.parse(body).id, ping.id, body);
  assert.equal(typeof JSON.parse(body).error.code, "number", body);
  assert.doesNotMatch(body, /127\.0\.0\.1/);
  assert.equal(up, 200);
});

Deno.test("an upstream's 500 and its body reach the client as they are", async () => {
  await using idp = await startIdp();
  await using upstream = startHandler(() => new Response("broken inside", { status: 500 }));
  await using http = await startHttpMode({ idp, upstreamUrl: upstream.url });
  const { tokens } = await logIn(http.mcpUrl);

  const answer = await call(http.mcpUrl, tokens.access_token, ping);

  assert.equal(answer.status, 500);
  assert.equal(await answer.text(), "broken inside");
});

Deno.test("stdio mode answers with the request's own id when the upstream is down, and stdout carries nothing else", async () => {
  await using process = startDoorman(["--header", "X-Api-Key: k", `http://127.0.0.1:${unusedPort()}/mcp`]);

  await process.write(JSON.stringify(initialize("first")));
  const line = await process.line("stdout", /"first"/);
  await process.closeStdin();
  const code = await process.exited;

  assert.equal(JSON.parse(line).id, "first");
  assert.ok(JSON.parse(line).error !== undefined, line);
  for (const other of process.stdout) assert.doesNotThrow(() => JSON.parse(other), other);
  assert.equal(code, 0);
});

Deno.test("stdio mode answers with an error that names the IdP when it is down", async () => {
  await using idp = await startIdp();
  await using upstream = startUpstream({ validating: { issuer: idp.issuer, metadata: false } });
  await idp.down();
  await using process = startDoorman(["--no-open-browser", upstream.url], {
    env: { OIDC_ISSUER_URL: idp.issuer, OIDC_CLIENT_ID: "doorman", OIDC_CLIENT_SECRET: "doorman-secret" },
  });

  await process.write(JSON.stringify(initialize(41)));
  const line = await process.line("stdout", /"id":\s*41\b/);

  assert.match(JSON.stringify(JSON.parse(line).error), new RegExp(idp.issuer.slice("http://".length)));
  assert.equal(process.stdout.length, 1);
});

async function status(mcpUrl: string, token: string): Promise<number> {
  const answer = await call(mcpUrl, token, initialize(1));
  await answer.body?.cancel();
  return answer.status;
}

function initialize(id: number | string) {
  return {
    jsonrpc: "2.0",
    id,
    method: "initialize",
    params: {
      protocolVersion: "2025-06-18",
      capabilities: {},
      clientInfo: { name: "scripted", version: "1" },
    },
  };
}

/** The IdP is asked again after a while; a person would press reload. */
async function logInUntilItWorks(mcpUrl: string) {
  for (let attempt = 0;; attempt++) {
    try {
      return await logIn(mcpUrl);
    } catch (error) {
      if (attempt === 20) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}
