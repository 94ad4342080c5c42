import assert from "node:assert/strict";
import { BodyTooLarge, readLimited, readLimitedText } from "../../lib/base/body.ts";
import { describeError, UserError } from "../../lib/base/errors.ts";
import { openHttpClient } from "../../lib/base/http_client.ts";
import { NetworkError } from "../../lib/base/network_error.ts";
import { startProxy } from "../support/proxy.ts";
import { serveTls, startCertificateServer, tlsFiles } from "../support/tls.ts";

const plain = { caFiles: [], noProxy: [] };
const trusted = { caFiles: [tlsFiles.ca], noProxy: [] };
const failed = (reason: string) => (error: unknown) =>
  error instanceof NetworkError && error.reason === reason;

function serve(handler: (request: Request) => Response | Promise<Response>) {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, handler);
  return { port: server.addr.port, [Symbol.asyncDispose]: () => server.shutdown() };
}

function open(config: Parameters<typeof openHttpClient>[0]) {
  const client = openHttpClient(config);
  return { ...client, [Symbol.dispose]: client.close };
}

Deno.test("fetch() shows a redirect and does not follow it", async () => {
  await using server = serve(() => new Response(null, { status: 307, headers: { location: "/elsewhere" } }));
  using http = open(plain);

  const response = await http.fetch(`http://127.0.0.1:${server.port}/`, { method: "POST", body: "secret" });

  assert.equal(response.status, 307);
  assert.equal(response.headers.get("location"), "/elsewhere");
  await response.body?.cancel();
});

Deno.test("fetch() gives up when the headers do not come in time, but lets a slow body run on", async () => {
  let release = () => {};
  const released = new Promise<void>((resolve) => release = resolve);
  await using server = serve(async (request) => {
    if (new URL(request.url).pathname === "/never") await released;
    return new Response(
      new ReadableStream({
        async start(controller) {
          controller.enqueue(new TextEncoder().encode("a"));
          await released;
          controller.enqueue(new TextEncoder().encode("b"));
          controller.close();
        },
      }),
    );
  });
  using http = open(plain);

  const slow = await http.fetch(`http://127.0.0.1:${server.port}/`, { timeoutMs: 2_000 });
  await assert.rejects(
    http.fetch(`http://127.0.0.1:${server.port}/never`, { timeoutMs: 60 }),
    failed("timeout"),
  );
  release();

  assert.equal(await slow.text(), "ab");
});

Deno.test("fetch() keeps obeying the caller's signal after the headers came", async () => {
  await using server = serve(() =>
    new Response(new ReadableStream({ start: (c) => c.enqueue(new Uint8Array(1)) }))
  );
  using http = open(plain);
  const stop = new AbortController();

  const response = await http.fetch(`http://127.0.0.1:${server.port}/`, {
    timeoutMs: 5_000,
    signal: stop.signal,
  });
  stop.abort(new Error("the client left"));

  await assert.rejects(response.text(), /the client left/);
});

Deno.test("fetch() rejects with the caller's own reason when the caller gives up first", async () => {
  await using server = serve(() => new Promise<Response>(() => {}));
  using http = open(plain);
  const stop = new AbortController();

  const waiting = http.fetch(`http://127.0.0.1:${server.port}/`, { timeoutMs: 5_000, signal: stop.signal });
  stop.abort(new Error("changed my mind"));

  await assert.rejects(waiting, { message: "changed my mind" });
});

Deno.test("fetch() tells a refused connection and a name that is not there from one another", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  using http = open(plain);

  await assert.rejects(http.fetch(`http://127.0.0.1:${port}/`), failed("unreachable"));
  await assert.rejects(http.fetch("http://no-such-host.invalid/"), failed("name"));
});

Deno.test("fetch() says nothing of the address but its host, and takes no host's name for a reason", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  using http = open(plain);

  for (const host of ["127.0.0.1", "proxy.certificate.localhost"]) {
    const error = await http.fetch(`http://${host}:${port}/path?key=s3cret`).catch((thrown) => thrown);
    assert.ok(error instanceof NetworkError);
    assert.ok(error.reason === "unreachable" || error.reason === "name", error.reason);
    assert.doesNotMatch(describeError(error), /s3cret|path/);
  }
});

Deno.test("fetch() names an unknown certificate authority and the ways to have it trusted", async () => {
  await using server = serveTls(() => new Response("x"));
  using http = open(plain);

  await assert.rejects(http.fetch(`https://localhost:${server.port}/`), (error) => {
    assert.ok(error instanceof NetworkError);
    assert.equal(error.reason, "unknown_ca");
    assert.match(error.message, /unknown certificate authority/);
    assert.match(error.hint ?? "", /--ca-file.*SSL_CERT_FILE/);
    return true;
  });
});

Deno.test("fetch() trusts the configured authority, and still refuses its certificate for another name", async () => {
  await using server = serveTls(() => new Response("in"));
  using http = open(trusted);

  assert.equal(await (await http.fetch(`https://localhost:${server.port}/`)).text(), "in");
  await assert.rejects(http.fetch(`https://127.0.0.2:${server.port}/`), NetworkError);
});

Deno.test("fetch() names a CA file that is missing or is no certificate", async () => {
  const missing = openHttpClient({ caFiles: ["/nowhere/ca.pem"], noProxy: [] });
  const wrong = openHttpClient({ caFiles: [tlsFiles.serverKey], noProxy: [] });

  await assert.rejects(
    missing.fetch("https://localhost/"),
    (error) => error instanceof UserError && error.message.includes("/nowhere/ca.pem"),
  );
  await assert.rejects(wrong.fetch("https://localhost/"), UserError);
});

Deno.test("fetch() goes through the configured proxy, but to loopback and excepted hosts directly", async () => {
  await using far = serveTls(() => new Response("far"));
  await using near = serve(() => new Response("near"));
  await using proxy = startProxy({
    routes: { "a.doorman.test:443": far.port, "b.doorman.test:80": near.port },
    credentials: "joe:pass word",
  });
  using http = open({
    ...trusted,
    proxyUrl: proxy.url.replace("//", "//joe:pass%20word@"),
    noProxy: [".excepted.invalid"],
  });

  assert.equal(await (await http.fetch("https://a.doorman.test/x")).text(), "far");
  assert.equal(await (await http.fetch("http://b.doorman.test/y")).text(), "near");
  assert.equal(await (await http.fetch(`http://127.0.0.1:${near.port}/`)).text(), "near");
  await assert.rejects(http.fetch("http://x.excepted.invalid/"), failed("name"));
  assert.deepEqual(proxy.asked, ["CONNECT a.doorman.test:443", "GET http://b.doorman.test/y"]);
});

Deno.test("fetch() says that it was the proxy that refused", async () => {
  await using proxy = startProxy({ routes: {}, credentials: "joe:right" });
  using http = open({ ...trusted, proxyUrl: proxy.url.replace("//", "//joe:wrong@") });

  await assert.rejects(http.fetch("https://a.doorman.test/"), failed("proxy"));
});

Deno.test("fetch() shows the configured client certificate", async () => {
  await using server = await startCertificateServer((_request, response) => response.end("known"));
  using http = open({ ...trusted, clientCertFile: tlsFiles.clientCert, clientKeyFile: tlsFiles.clientKey });

  assert.equal(await (await http.fetch(`${server.origin}/`)).text(), "known");
});

Deno.test("readLimited() stops at the limit, by the declared length and by what comes", async () => {
  let cancelled = false;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(10)),
    cancel: () => {
      cancelled = true;
    },
  });

  assert.equal(await readLimitedText(new Response("h\u00e9llo"), 6), "h\u00e9llo");
  assert.equal((await readLimited(new Response(null), 6)).length, 0);
  await assert.rejects(
    readLimited(new Response("hello", { headers: { "content-length": "50" } }), 10),
    BodyTooLarge,
  );
  await assert.rejects(readLimited({ body: endless, headers: new Headers() }, 25), BodyTooLarge);
  assert.equal(cancelled, true);
});

/** Answers the first request on each connection; the second one is read to its end, and the connection closed. */
function countingServer() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const received: string[] = [];
  const serveOne = async (conn: Deno.Conn) => {
    try {
      for (let first = true;; first = false) {
        let text = "";
        const buffer = new Uint8Array(4_096);
        while (!/\r\n\r\n(?:end)?$/.test(text) || (text.startsWith("POST") && !text.endsWith("end"))) {
          const read = await conn.read(buffer);
          if (read === null) return;
          text += new TextDecoder().decode(buffer.subarray(0, read));
        }
        received.push(text.split(" ", 1)[0] ?? "");
        if (!first) return;
        if (text.startsWith("POST")) return;
        await conn.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"));
      }
    } finally {
      conn.close();
    }
  };
  const tasks: Promise<void>[] = [];
  const accepting = (async () => {
    try {
      for await (const conn of listener) tasks.push(serveOne(conn));
    } catch {
      // Closed.
    }
  })();
  return {
    received,
    url: `http://127.0.0.1:${listener.addr.port}/`,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      await Promise.allSettled(tasks);
    },
  };
}

Deno.test("fetch() sends a POST once, even when a kept connection is closed instead of an answer", async () => {
  await using server = countingServer();
  using http = open(plain);
  await (await http.fetch(server.url)).text();

  await assert.rejects(http.fetch(server.url, { method: "POST", body: "end" }), NetworkError);

  assert.deepEqual(server.received, ["GET", "POST"]);
});
