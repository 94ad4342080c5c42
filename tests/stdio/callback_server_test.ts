import assert from "node:assert/strict";
import { type CallbackServer, listenForCallback } from "../../lib/stdio/callback_server.ts";
import { freePort } from "./login_setup.ts";

const state = "the-state-of-this-login";
const good = { status: 200, tone: "good", title: "It worked", text: "Close this" } as const;

function listen(host = "localhost"): CallbackServer & { at: string } {
  const server = listenForCallback([new URL(`http://${host}:${freePort()}/auth/callback`)], state);
  return Object.assign(server, { at: server.redirectUri });
}

/** Of a request that is wrongly taken for the callback, the page never comes. */
const soon = () => ({ signal: AbortSignal.timeout(5_000) });

/** Whether the login has had its callback. */
async function isOver(server: CallbackServer): Promise<boolean> {
  return await Promise.race([
    server.callback.then(() => true),
    new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 20)),
  ]);
}

Deno.test("the callback with the state is the one, and its page waits for the outcome", async () => {
  await using server = listen();
  const page = fetch(`${server.at}?code=c&state=${state}`);

  const callback = await server.callback;
  assert.equal(callback.parameters.get("code"), "c");
  callback.answer(good);

  const response = await page;
  assert.equal(response.status, 200);
  assert.match(await response.text(), /It worked/);
});

Deno.test("forged hits get a page that promises nothing, and do not end the login", async () => {
  await using server = listen();
  const forged = [
    "?code=c",
    "?code=c&state=wrong",
    `?code=c&state=${state}x`,
    `?code=c&state=${state}&state=${state}`,
    `?error=access_denied&state=`,
    "?error=access_denied&error_description=<script>alert(1)</script>",
  ];
  for (const query of forged) {
    const response = await fetch(server.at + query, soon());
    const html = await response.text();
    assert.equal(response.status, 400, query);
    assert.match(html, /not the login we wait for/);
    assert.doesNotMatch(html, /script|logged in/i);
  }
  assert.equal(await isOver(server), false);

  const page = fetch(`${server.at}?code=c&state=${state}`);
  (await server.callback).answer(good);
  assert.equal((await page).status, 200);
  await (await page).body?.cancel();
});

Deno.test("only GET on the exact path with the exact Host is a callback", async () => {
  await using server = listen();
  const url = new URL(server.at);
  const query = `?code=c&state=${state}`;
  const status = async (address: string, init?: RequestInit) => {
    const response = await fetch(address, { ...soon(), ...init });
    await response.body?.cancel();
    return response.status;
  };

  assert.equal(await status(server.at + query, { method: "POST" }), 405);
  assert.equal(await status(server.at + query, { method: "HEAD" }), 405);
  assert.equal(await status(`${url.origin}/${query}`), 404);
  assert.equal(await status(`${server.at}/${query}`), 404);
  assert.equal(await status(`${url.origin}/auth/../auth/callback/x${query}`), 404);
  assert.equal(await status(`http://127.0.0.1:${url.port}${url.pathname}${query}`), 404, "another Host");
  assert.equal(await status(`${url.origin}/favicon.ico`), 404);
  assert.equal(await isOver(server), false);
});

Deno.test("the second callback is told that the login is over", async () => {
  await using server = listen();
  const first = fetch(`${server.at}?code=c&state=${state}`);
  const callback = await server.callback;

  const second = await fetch(`${server.at}?code=other&state=${state}`);
  assert.equal(second.status, 409);
  await second.body?.cancel();

  callback.answer(good);
  assert.equal((await first).status, 200);
  await (await first).body?.cancel();
});

Deno.test("the listener is on loopback addresses only", async () => {
  await using server = listen();
  const addresses = Deno.networkInterfaces().filter(({ address, family }) =>
    family === "IPv4" && !address.startsWith("127.")
  );
  for (const { address } of addresses) {
    await assert.rejects(Deno.connect({ hostname: address, port: Number(new URL(server.at).port) }));
  }
  const local = await fetch(`http://127.0.0.1:${new URL(server.at).port}/`);
  await local.body?.cancel();
  assert.equal(local.status, 404);
});

Deno.test("a port that is taken on either loopback address is not shared", () => {
  const port = freePort();
  using _taken = Deno.listen({ hostname: "::1", port });

  assert.throws(
    () => listenForCallback([new URL(`http://localhost:${port}/cb`)], state),
    new RegExp(`port ${port}: it is taken`),
  );
});

Deno.test("the next of the declared addresses is used when a port is taken", async () => {
  const [taken, free] = [freePort(), freePort()];
  using _taken = Deno.listen({ hostname: "127.0.0.1", port: taken });
  await using server = listenForCallback(
    [new URL(`http://localhost:${taken}/cb`), new URL(`http://localhost:${free}/cb`)],
    state,
  );

  assert.equal(server.redirectUri, `http://localhost:${free}/cb`);
});

Deno.test("pages run no script, load nothing and are kept by no cache", async () => {
  await using server = listen();
  const response = await fetch(`${server.at}?state=wrong`, soon());
  await response.body?.cancel();

  assert.match(
    response.headers.get("content-security-policy") ?? "",
    /default-src 'none'.*frame-ancestors 'none'/,
  );
  assert.match(response.headers.get("cache-control") ?? "", /no-store/);
  assert.equal(response.headers.get("referrer-policy"), "no-referrer");
  assert.equal(response.headers.get("x-content-type-options"), "nosniff");
});

Deno.test("what a page repeats from outside is text", async () => {
  await using server = listen();
  const page = fetch(`${server.at}?state=${state}`);
  (await server.callback).answer({ ...good, detail: `"><script>alert('1')</script>&amp;` });
  const html = await (await page).text();

  assert.doesNotMatch(html, /<script/);
  assert.match(html, /&#60;script&#62;/);
});
