import assert from "node:assert/strict";
import { BodyTooLarge } from "../../lib/base/body.ts";
import { GuardRefusal, openGuardedFetch } from "../../lib/base/guarded_fetch.ts";
import { NetworkError } from "../../lib/base/network_error.ts";
import { startProxy } from "../support/proxy.ts";
import { serveTls, tlsFiles } from "../support/tls.ts";

const network = { caFiles: [tlsFiles.ca], noProxy: [] };
const refused = (reason: string) => (error: unknown) =>
  error instanceof GuardRefusal && error.reason === reason;

Deno.test("guardedFetch() connects to the address that was checked and asks for the name's certificate", async () => {
  let host: string | null = null;
  let cookies: string | null = "";
  await using server = serveTls((request) => {
    host = request.headers.get("host");
    cookies = request.headers.get("cookie") ?? request.headers.get("authorization");
    return Response.json({ hello: "there" });
  });
  let resolutions = 0;
  const resolve = () => Promise.resolve(++resolutions === 1 ? ["127.0.0.1"] : ["10.0.0.1"]);
  const fetchIt = openGuardedFetch(network, { allowLoopback: true, resolve });

  const answer = await fetchIt(new URL(`https://client.doorman.test:${server.port}/c.json`));

  assert.equal(answer.status, 200);
  assert.deepEqual(JSON.parse(new TextDecoder().decode(answer.body)), { hello: "there" });
  assert.equal(resolutions, 1);
  assert.equal(host, `client.doorman.test:${server.port}`);
  assert.equal(cookies, null);
});

Deno.test("guardedFetch() refuses a certificate for another name", async () => {
  await using server = serveTls(() => new Response("x"));
  const fetchIt = openGuardedFetch(network, {
    allowLoopback: true,
    resolve: () => Promise.resolve(["127.0.0.1"]),
  });

  await assert.rejects(fetchIt(new URL(`https://other.example:${server.port}/c`)), NetworkError);
});

Deno.test("guardedFetch() refuses an unknown certificate authority", async () => {
  await using server = serveTls(() => new Response("x"));
  const fetchIt = openGuardedFetch({ caFiles: [], noProxy: [] }, {
    allowLoopback: true,
    resolve: () => Promise.resolve(["127.0.0.1"]),
  });

  await assert.rejects(fetchIt(new URL(`https://a.doorman.test:${server.port}/c`)), NetworkError);
});

Deno.test("guardedFetch() connects nowhere when one of the addresses is special", async (t) => {
  let connections = 0;
  await using server = serveTls(() => {
    connections++;
    return new Response("x");
  });
  for (
    const addresses of [["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["::ffff:127.0.0.1"], [], ["nonsense"]]
  ) {
    await t.step(JSON.stringify(addresses), async () => {
      const fetchIt = openGuardedFetch(network, { resolve: () => Promise.resolve(addresses) });
      await assert.rejects(
        fetchIt(new URL(`https://a.doorman.test:${server.port}/c`)),
        refused("special_address"),
      );
    });
  }
  for (
    const host of [
      "127.0.0.1",
      "[::1]",
      "[::ffff:127.0.0.1]",
      "2130706433",
      "0x7f.1",
      "127.1",
      "0",
      "169.254.169.254",
    ]
  ) {
    await t.step(host, async () => {
      await assert.rejects(
        openGuardedFetch(network)(new URL(`https://${host}:${server.port}/c`)),
        refused("special_address"),
      );
    });
  }
  assert.equal(connections, 0);
});

Deno.test("guardedFetch() refuses http, other schemes and user information without resolving", async () => {
  const resolve = () => Promise.reject(new Error("resolved"));
  const fetchIt = openGuardedFetch(network, { resolve });

  await assert.rejects(fetchIt(new URL("http://a.example/c")), refused("not_https"));
  await assert.rejects(fetchIt(new URL("ftp://a.example/c")), refused("not_https"));
  await assert.rejects(fetchIt(new URL("https://u:p@a.example/c")), refused("user_information"));
});

Deno.test("guardedFetch() takes http from loopback only, and only when loopback is allowed", async () => {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => new Response("hi"));
  try {
    const url = new URL(`http://127.0.0.1:${server.addr.port}/c`);
    const answer = await openGuardedFetch(network, { allowLoopback: true })(url);
    assert.equal(new TextDecoder().decode(answer.body), "hi");
    await assert.rejects(
      openGuardedFetch(network, { allowLoopback: true, resolve: () => Promise.resolve(["93.184.216.34"]) })(
        new URL("http://a.example/c"),
      ),
      refused("not_https"),
    );
  } finally {
    await server.shutdown();
  }
});

Deno.test("guardedFetch() does not follow a redirect", async () => {
  await using server = serveTls(() =>
    new Response(null, { status: 302, headers: { location: "https://b.example/" } })
  );
  const fetchIt = openGuardedFetch(network, { allowLoopback: true });

  assert.equal((await fetchIt(new URL(`https://127.0.0.1:${server.port}/c`))).status, 302);
});

Deno.test("guardedFetch() stops at the size limit, also without a declared length", async () => {
  let cancelled = false;
  await using server = serveTls(() =>
    new Response(
      new ReadableStream({
        pull: (controller) => controller.enqueue(new Uint8Array(1_024)),
        cancel: () => {
          cancelled = true;
        },
      }),
    )
  );
  const fetchIt = openGuardedFetch(network, { allowLoopback: true });

  await assert.rejects(
    fetchIt(new URL(`https://127.0.0.1:${server.port}/c`), { maxBytes: 5_000 }),
    BodyTooLarge,
  );
  while (!cancelled) await new Promise((resolve) => setTimeout(resolve, 5));
});

Deno.test("guardedFetch() gives up at its time limit, in resolving as in reading", async () => {
  await using server = serveTls(() =>
    new Response(new ReadableStream({ start: (c) => c.enqueue(new Uint8Array(1)) }))
  );
  const slow = openGuardedFetch(network, { allowLoopback: true });
  const stuck = openGuardedFetch(network, { resolve: () => new Promise(() => {}) });

  const timedOut = (error: unknown) => error instanceof NetworkError && error.reason === "timeout";
  await assert.rejects(slow(new URL(`https://127.0.0.1:${server.port}/c`), { timeoutMs: 100 }), timedOut);
  await assert.rejects(stuck(new URL("https://a.example/c"), { timeoutMs: 100 }), timedOut);
});

Deno.test("guardedFetch() goes through the corporate proxy to the address that was checked", async () => {
  await using server = serveTls(() => Response.json({ far: "away" }));
  await using proxy = startProxy({
    routes: { "93.184.216.34:8443": server.port },
    credentials: "joe:s3cret",
  });
  const proxyUrl = proxy.url.replace("http://", "http://joe:s3cret@");
  const resolve = () => Promise.resolve(["93.184.216.34"]);
  const fetchIt = openGuardedFetch({ ...network, proxyUrl }, { resolve });

  const answer = await fetchIt(new URL("https://client.doorman.test:8443/c.json"));

  assert.equal(new TextDecoder().decode(answer.body), '{"far":"away"}');
  assert.deepEqual(proxy.asked, ["CONNECT 93.184.216.34:8443"]);

  const wrong = openGuardedFetch({ ...network, proxyUrl: proxy.url }, { resolve });
  await assert.rejects(wrong(new URL("https://client.doorman.test:8443/c")), /the proxy/);
});

Deno.test("guardedFetch() takes no compressed answer, since it did not ask for one", async () => {
  const zeros = new Blob([new Uint8Array(1_000_000)]).stream().pipeThrough(new CompressionStream("gzip"));
  const bomb = new Uint8Array(await new Response(zeros).arrayBuffer());
  assert.ok(bomb.length < 5_000);
  await using server = serveTls(() => new Response(bomb, { headers: { "content-encoding": "gzip" } }));
  const fetchIt = openGuardedFetch(network, { allowLoopback: true });

  // Which of the two depends on whether the runtime unfolds it by itself.
  await assert.rejects(
    fetchIt(new URL(`https://127.0.0.1:${server.port}/c`)),
    (error) => error instanceof BodyTooLarge || refused("encoded")(error),
  );
});
