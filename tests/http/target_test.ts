import assert from "node:assert/strict";
import fc from "fast-check";
import { belowMount, isPlainPath, readTarget } from "../../lib/http/target.ts";
import { rawRequest, sendRaw } from "./raw_client.ts";
import { recorder } from "./recorder.ts";
import { startFront } from "./support.ts";

const token = "Authorization: Bearer alice";

const hostile = [
  "/mcp/../admin",
  "/mcp/./x",
  "/mcp/..",
  "/mcp/%2e%2e/admin",
  "/mcp/%2E%2e/admin",
  "/mcp/.%2e/admin",
  "/mcp/x%2fy",
  "/mcp/x%5cy",
  "/mcp/x\\y",
  "/mcp//x",
  "//mcp",
  "/mcp/%00",
  "/mcp/%0d%0a",
  "/mcp/%252e%252e/x",
  "/mcp/%zz",
  "/mcp/x%",
  "/MCP",
  "/mcp2",
  "/Mcp/x",
  "/m%63p",
  "/.well-known/../mcp",
  "/.well-known/%2e%2e/mcp",
  "/.well-known/x",
  "/healthz/../mcp",
  "/healthz/",
  "/healthz/x",
  "/",
  "/token/../mcp",
  "/mcp/.well-known/oauth-protected-resource",
];

Deno.test("no odd spelling of a path reaches the upstream, with or without a token", async () => {
  const { seen, upstream } = recorder();
  await using front = await startFront({ upstream });

  for (const path of hostile) {
    for (const headers of [[token], []]) {
      for (const method of ["GET", "POST"]) {
        const answer = await sendRaw(front.port, rawRequest(`${method} ${path} HTTP/1.1`, headers));
        assert.ok(
          answer.status === 400 || answer.status === 404 || answer.status === 401 || answer.status === 405,
          `${method} ${path} -> ${answer.text.slice(0, 100)}`,
        );
      }
    }
  }

  assert.deepEqual(seen.map(({ target }) => target), []);
});

Deno.test("a path below the mount goes on as it was sent, with its query", async () => {
  const { seen, upstream } = recorder();
  await using front = await startFront({ upstream });

  for (const target of ["/mcp", "/mcp/", "/mcp/a/b%20c?x=1;y=%2e%2e&z=//", "/mcp?a=1&a=2"]) {
    const answer = await sendRaw(front.port, rawRequest(`GET ${target} HTTP/1.1`, [token]));
    assert.equal(answer.status, 200, answer.text);
  }

  assert.deepEqual(seen.map(({ target }) => target), [
    "/mcp",
    "/mcp/",
    "/mcp/a/b%20c?x=1;y=%2e%2e&z=//",
    "/mcp?a=1&a=2",
  ]);
});

Deno.test("a token in the query opens nothing", async () => {
  const { seen, upstream } = recorder();
  await using front = await startFront({ upstream });

  const answer = await sendRaw(front.port, rawRequest("POST /mcp?access_token=alice HTTP/1.1"));

  assert.equal(answer.status, 401);
  assert.match(answer.text, /www-authenticate: Bearer resource_metadata=/i);
  assert.equal(seen.length, 0);
});

Deno.test("a token in the query goes no further, also beside a good one", async () => {
  const { seen, upstream } = recorder();
  await using front = await startFront({ upstream });

  for (
    const query of ["?access_token=bob", "?a=1&access%5Ftoken=bob&b=%20", "?Access_Token=bob&access_token"]
  ) {
    const answer = await sendRaw(front.port, rawRequest(`GET /mcp${query} HTTP/1.1`, [token]));
    assert.equal(answer.status, 200, answer.text);
  }

  assert.deepEqual(seen.map(({ target }) => target), ["/mcp", "/mcp?a=1&b=%20", "/mcp"]);
});

Deno.test("a host that is no host, or another than the target's, is refused", async () => {
  const { seen, upstream } = recorder();
  await using front = await startFront({ upstream });

  for (
    const request of [
      rawRequest("GET http://other.example/mcp HTTP/1.1", [token]),
      rawRequest("GET /mcp HTTP/1.1", ["Host: 127.0.0.1/evil", token]),
      rawRequest("GET /mcp HTTP/1.1", ["Host: u@127.0.0.1", token]),
      rawRequest("GET /mcp HTTP/1.1", ["Host: 127.0.0.1:x", token]),
      rawRequest("GET /mcp HTTP/1.1", ["Host: evil.example", token]),
      rawRequest("GET /mcp HTTP/1.1", ["Host: a", "Host: b", token]),
    ]
  ) {
    const answer = await sendRaw(front.port, request);
    assert.ok(answer.status === 400 || answer.status === 403 || answer.status === 0, answer.text);
  }

  assert.equal(seen.length, 0);
});

Deno.test("a request that names no host is refused, except for health in HTTP/1.0", async () => {
  const { seen, upstream } = recorder();
  await using front = await startFront({ upstream });

  for (const version of ["1.0", "1.1"]) {
    for (
      const [path, status] of [
        ["/mcp", 400],
        ["/mcp/x", 400],
        ["/token", 400],
        // HTTP/1.1 forbids it whatever is asked for.
        ["/healthz", version === "1.0" ? 200 : 400],
      ] as const
    ) {
      const answer = await sendRaw(front.port, `GET ${path} HTTP/${version}\r\n${token}\r\n\r\n`);
      assert.equal(answer.status, status, `${path} ${answer.text}`);
    }
  }

  assert.equal(seen.length, 0);
});

Deno.test("requests that two servers would read differently never reach the upstream twice", async () => {
  const { seen, upstream } = recorder();
  await using front = await startFront({ upstream });
  const smuggled = "GET /mcp/smuggled HTTP/1.1\r\nHost: x\r\n\r\n";

  for (
    const request of [
      rawRequest("POST /mcp HTTP/1.1", [token, "Content-Length: 4", "Content-Length: 5"]) + smuggled,
      rawRequest("POST /mcp HTTP/1.1", [token, "Content-Length: 4, 4"]) + smuggled,
      rawRequest("POST /mcp HTTP/1.1", [token, "Content-Length: 2", "Content-Length: 2"]) + "{}",
      rawRequest("POST /mcp HTTP/1.1", [token, "Content-Length: 5", "Transfer-Encoding: chunked"]) +
      `0\r\n\r\n${smuggled}`,
      rawRequest("POST /mcp HTTP/1.1", [token, "Transfer-Encoding: xchunked"]) + smuggled,
      rawRequest("POST /mcp HTTP/1.1", [token, "X-A: 1\rX-User-Sub: root", "Content-Length: 0"]) + smuggled,
      rawRequest("POST /mcp HTTP/1.1", [token, "Transfer-Encoding : chunked"]) + smuggled,
      rawRequest("POST /mcp HTTP/1.1", [token, "Content-Length: +5"]) + smuggled,
      rawRequest("POST /mcp HTTP/1.1", [token, "X-A: 1\r\n folded", "Content-Length: 0"]) + smuggled,
    ]
  ) {
    const answer = await sendRaw(front.port, request);
    assert.ok([400, 501, 0].includes(answer.status), `${request} -> ${answer.text}`);
  }

  assert.equal(seen.length, 0);
});

Deno.test("methods that MCP does not know are refused, and without a token nothing is said about them", async () => {
  const { seen, upstream } = recorder();
  await using front = await startFront({ upstream });

  for (const method of ["PUT", "PATCH", "TRACE", "PROPFIND", "post", "GETT"]) {
    for (const path of ["/mcp", "/mcp/x"]) {
      const answer = await sendRaw(front.port, rawRequest(`${method} ${path} HTTP/1.1`, [token]));
      assert.equal(answer.status, 405, `${method} -> ${answer.text}`);
      assert.match(answer.text, /\nallow: GET, POST, DELETE, HEAD, OPTIONS\r/i);
      assert.equal((await sendRaw(front.port, rawRequest(`${method} ${path} HTTP/1.1`))).status, 401, method);
    }
  }
  const tunnel = await sendRaw(front.port, rawRequest("CONNECT /mcp HTTP/1.1", [token]));
  assert.equal(tunnel.status, 501, tunnel.text);
  // Nor do the endpoints know them, which the runtime could not even be asked about.
  for (const method of ["TRACE", "TRACK", "PROPFIND", "get", "Post"]) {
    for (const path of ["/token", "/healthz", "/.well-known/oauth-protected-resource/mcp"]) {
      const answer = await sendRaw(front.port, rawRequest(`${method} ${path} HTTP/1.1`));
      assert.equal(answer.status, 405, `${method} ${path} -> ${answer.text}`);
    }
  }
  const withBody = await sendRaw(
    front.port,
    rawRequest("GET /.well-known/oauth-protected-resource/mcp HTTP/1.1", [], "body"),
  );
  assert.equal(withBody.status, 200);

  assert.equal(seen.length, 0);
});

Deno.test("readTarget() takes the path apart without changing it", () => {
  assert.deepEqual(readTarget("http://h:1/a/../b?q=/x", "h:1"), {
    path: "/a/../b",
    query: "?q=/x",
    authority: "h:1",
  });
  assert.deepEqual(readTarget("http://h?q", "h"), { path: "/", query: "?q", authority: "h" });
  assert.deepEqual(readTarget("https://h/x", null), { path: "/x", query: "", authority: "h" });
  assert.equal(readTarget("http://h/x#frag", "h"), undefined);
  assert.equal(readTarget("nonsense", "h"), undefined);
  for (
    const host of [
      "u@h",
      "h:x",
      "h h",
      "",
      "-h",
      "h:123456",
      "[::1",
      "h:65536",
      "1.2.3.4.5",
      "256.1.1.1",
      "[:::]",
    ]
  ) {
    assert.equal(readTarget(`http://${host}/x`, host), undefined, host);
  }
});

Deno.test("isPlainPath() accepts only what URL parsing leaves as it is", () => {
  const piece = fc.constantFrom(
    "/",
    ".",
    "..",
    "%2e",
    "%2F",
    "\\",
    "a",
    "B",
    "%20",
    "~",
    "%",
    "é",
    "?",
    "#",
    ";",
    "//",
    "%25",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const path = "/" + pieces.join("");
      if (!isPlainPath(path)) return;
      const url = new URL(`http://h${path}`);
      assert.equal(url.pathname, path);
      assert.equal(url.search + url.hash, "");
      assert.ok(!decodeURIComponent(path).split("/").some((part) => part === ".." || part === "."));
      assert.equal(decodeURIComponent(path).split("/").length, path.split("/").length);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("belowMount() finds only what is below", () => {
  fc.assert(fc.property(fc.string({ maxLength: 20 }), (text) => {
    const below = belowMount(`/mcp${text}`, "/mcp");
    if (below !== undefined) assert.ok(below === "" || below.startsWith("/"));
  }));
  assert.equal(belowMount("/mcp/x", "/mcp"), "/x");
  assert.equal(belowMount("/mcpx", "/mcp"), undefined);
  assert.equal(belowMount("/any/thing", "/"), "/any/thing");
  assert.equal(belowMount("/any/../thing", "/"), undefined);
});

Deno.test("where every path is the mount, unknown documents are still 404 and never go on", async () => {
  const { seen, upstream } = recorder();
  await using front = await startFront({ upstream, settings: { mountPath: "/" } });

  for (const path of ["/.well-known/openid-configuration", "/.well-known/x/y"]) {
    assert.equal((await sendRaw(front.port, rawRequest(`GET ${path} HTTP/1.1`, [token]))).status, 404);
  }
  assert.equal((await sendRaw(front.port, rawRequest("GET /any/path HTTP/1.1"))).status, 401);
  assert.equal((await sendRaw(front.port, rawRequest("GET /any/path HTTP/1.1", [token]))).status, 200);

  assert.deepEqual(seen.map(({ target }) => target), ["/mcp/any/path"]);
});

Deno.test("where every path is the mount, nothing without a token goes on, under whatever path and method", async () => {
  for (const upstreamPathOverride of [undefined, "/mcp"]) {
    const { seen, upstream } = recorder();
    const override = upstreamPathOverride === undefined ? {} : { upstreamPathOverride };
    await using front = await startFront({ upstream, settings: { mountPath: "/", ...override } });
    const ask = async (line: string, headers: string[] = []) =>
      (await sendRaw(front.port, rawRequest(`${line} HTTP/1.1`, headers))).status;

    for (
      const path of [
        ...hostile,
        "/.well-known/mcp",
        "/.well-known/",
        "/token/",
        "/token/x",
        "/oauth/register",
      ]
    ) {
      for (const method of ["GET", "POST", "PUT"]) {
        const status = await ask(`${method} ${path}`);
        assert.ok([400, 401, 404, 405].includes(status), `${method} ${path} -> ${status}`);
      }
    }
    assert.equal(seen.length, 0);
    assert.equal(await ask("POST /healthz"), 405);
    assert.equal(await ask("GET /healthz", ["X-Health-Check: 1", "User-Agent: GoogleHC/1.0"]), 200);
    assert.equal(await ask("GET /x", ["User-Agent: GoogleHC/1.0", "X-Original-URI: /healthz"]), 401);
    assert.equal(await ask("GET /x?a=1", [token]), 200);
    assert.deepEqual(seen.map(({ target }) => target), [
      upstreamPathOverride === undefined ? "/mcp/x?a=1" : "/mcp?a=1",
    ]);
  }
});
