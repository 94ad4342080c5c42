/** The ways that messages take to the upstream: directly, under a private authority, with a certificate, by proxy. */
import assert from "node:assert/strict";
import { startPump } from "../support/pump.ts";
import { startProxy } from "../support/proxy.ts";
import { rawUpstream, rpcResult } from "../support/raw_upstream.ts";
import { serveTls, startCertificateServer, tlsFiles } from "../support/tls.ts";

const call = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "x" } };
const trusted = { caFiles: [tlsFiles.ca], noProxy: [] };

async function tlsAnswer(request: Request): Promise<Response> {
  const { id } = await request.json();
  return Response.json({ jsonrpc: "2.0", id, result: { host: new URL(request.url).host } });
}

Deno.test("an upstream under a private authority is spoken to when the authority is configured, else it is named", async () => {
  await using upstream = serveTls(tlsAnswer);
  const url = `https://localhost:${upstream.port}/mcp`;
  await using pump = startPump(url, { http: trusted });
  await using distrustful = startPump(url);

  const { result } = await pump.ask(call);
  const { error } = await distrustful.ask(call);

  assert.deepEqual(result, { host: `localhost:${upstream.port}` });
  assert.match(error.data.cause, /unknown certificate authority/);
  assert.match(error.data.hint, /--ca-file/);
});

// The other systems have no second loopback address.
const ignore = Deno.build.os !== "linux";

Deno.test("a certificate for another name is refused", { ignore }, async () => {
  await using upstream = serveTls(tlsAnswer, "127.0.0.2");
  await using pump = startPump(`https://127.0.0.2:${upstream.port}/mcp`, { http: trusted });

  const { error } = await pump.ask(call);

  assert.equal(error.code, -31001);
  assert.match(error.data.cause, /certificate|NotValidForName/i);
});

Deno.test("the client certificate is shown to an upstream that asks for one", async () => {
  await using server = await startCertificateServer((_, response) => {
    response.setHeader("content-type", "application/json").end('{"jsonrpc":"2.0","id":1,"result":{}}');
  });
  const url = `${server.origin}/mcp`;
  const certificate = { clientCertFile: tlsFiles.clientCert, clientKeyFile: tlsFiles.clientKey };
  await using known = startPump(url, { http: { ...trusted, ...certificate } });
  await using unknown = startPump(url, { http: trusted });

  assert.deepEqual((await known.ask(call)).result, {});
  assert.equal((await unknown.ask(call)).error.code, -31001);
});

Deno.test("messages go through the configured proxy, and nowhere else when it refuses", async () => {
  await using upstream = serveTls(tlsAnswer);
  await using proxy = startProxy({ routes: { "mcp.doorman.test:443": upstream.port } });
  const http = { ...trusted, proxyUrl: proxy.url };
  await using pump = startPump("https://mcp.doorman.test/mcp", { http });
  await using stray = startPump("https://other.doorman.test/mcp", { http });

  const { result } = await pump.ask(call);
  const { error } = await stray.ask(call);

  assert.deepEqual(result, { host: "mcp.doorman.test" });
  assert.match(error.data.cause, /proxy refused/);
  assert.ok(proxy.asked.includes("CONNECT mcp.doorman.test:443"));
});

Deno.test("a fixed header about the connection does not make a request of two meanings", async () => {
  await using upstream = rawUpstream((request) => rpcResult(request, {}));
  const headers = [["Host", "mcp.example.com"], ["Content-Length", "3"], ["X-Team", "one"]] as const;
  await using pump = startPump(upstream.url, { headers });

  const { result } = await pump.ask(call);

  assert.deepEqual(result, {});
  assert.deepEqual(upstream.requests[0]?.rpc, call);
  assert.doesNotMatch(upstream.requests[0]?.headers.get("host") ?? "", /,/);
  assert.equal(upstream.requests[0]?.headers.get("x-team"), "one");
});

Deno.test("a fixed header takes the place of the program's own of that name", async () => {
  await using upstream = rawUpstream((request) => rpcResult(request, {}));
  await using pump = startPump(upstream.url, { headers: [["User-Agent", "mine/1"]] });

  await pump.ask(call);

  assert.equal(upstream.requests[0]?.headers.get("user-agent"), "mine/1");
});
